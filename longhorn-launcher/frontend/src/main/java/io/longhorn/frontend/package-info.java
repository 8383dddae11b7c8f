/**
 * Volumes and snapshots as block devices for programs that are not Java. A frontend serves {@link io.longhorn.frontend.BlockDevice}s, which are open volumes and held
 * snapshots; whoever opened those keeps them, a frontend closes none.
 */
@NullMarked
package io.longhorn.frontend;

import org.jspecify.annotations.NullMarked;
