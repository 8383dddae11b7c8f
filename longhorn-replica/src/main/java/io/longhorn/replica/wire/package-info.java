/**
 * The wire protocol between engine and replica server, the one place it is declared: frames, messages, and the loop and
 * connection they travel over. The conversation (who may say what, when) is in {@code docs/format/wire.md}. Read
 * {@link io.longhorn.replica.wire.FrameLayout} first.
 */
@NullMarked
package io.longhorn.replica.wire;

import org.jspecify.annotations.NullMarked;
