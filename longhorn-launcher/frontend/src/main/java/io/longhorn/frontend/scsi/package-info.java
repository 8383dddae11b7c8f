/**
 * A SCSI target that serves a {@link io.longhorn.frontend.BlockDevice} as a disk: commands, sense data, unit attentions and persistent reservations as SPC-4 and SBC-3 have
 * them. It knows no transport, only the names of initiator ports. Start with {@link io.longhorn.frontend.scsi.ScsiTarget}.
 */
@NullMarked
package io.longhorn.frontend.scsi;

import org.jspecify.annotations.NullMarked;
