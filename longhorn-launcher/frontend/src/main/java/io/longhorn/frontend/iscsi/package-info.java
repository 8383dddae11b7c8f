/**
 * An iSCSI target (RFC 7143) that serves {@link io.longhorn.frontend.BlockDevice}s. Start with {@link io.longhorn.frontend.iscsi.IscsiPortal}; a connection is read by
 * {@code PduReader}, logs in with {@code LoginExchange} and then lives in {@code FullFeature}. What the commands mean is the business of
 * {@link io.longhorn.frontend.scsi.ScsiTarget}.
 */
@NullMarked
package io.longhorn.frontend.iscsi;

import org.jspecify.annotations.NullMarked;
