/**
 * The layers of a replica: for each, a file of blocks at their own offsets, the block map beside it that says what the layer holds of each block, and in memory what the journal has
 * and the files do not yet. The tree of layers takes structural operations; a block is found by going from a layer down through its parents. What a checkpoint moves into one layer is
 * put together and written here; when that happens, and which layers may go, is decided by the replica.
 *
 * <p>The format is in {@code docs/format/layer.md}. Read {@link io.longhorn.replica.layer.LayerNode} first, then {@link io.longhorn.replica.layer.BlockReader} for the way of a read and
 * {@link io.longhorn.replica.layer.BlockMap} for the map. Stands on {@code journal}, {@code disk} and {@code wire}.
 */
@NullMarked
package io.longhorn.replica.layer;

import org.jspecify.annotations.NullMarked;
