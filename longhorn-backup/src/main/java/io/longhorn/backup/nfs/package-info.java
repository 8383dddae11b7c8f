/**
 * Objects on an NFS server, spoken to directly: no mount, no root, no thread of its own. From the bottom up:
 *
 * <ul>
 *   <li>{@link io.longhorn.backup.nfs.XdrReader} and {@link io.longhorn.backup.nfs.XdrWriter}: the encoding (RFC 4506);
 *   <li>{@link io.longhorn.backup.nfs.RpcMessages}, {@link io.longhorn.backup.nfs.RecordReader}, {@link io.longhorn.backup.nfs.RpcConnection}: remote calls over one TCP connection
 *       (RFC 5531). Whoever waits for an answer does the reading for all others that wait;
 *   <li>{@link io.longhorn.backup.nfs.Compound} and {@link io.longhorn.backup.nfs.CompoundReply}: the operations of NFSv4.1 used here (RFC 8881, RFC 5662);
 *   <li>{@link io.longhorn.backup.nfs.NfsClient}, {@link io.longhorn.backup.nfs.NfsSession}, {@link io.longhorn.backup.nfs.NfsCall}: calls that are executed once, whatever
 *       happens to connections, and sessions that are made when needed;
 *   <li>{@link io.longhorn.backup.nfs.NfsStore}: objects as files. Read this first, with {@link io.longhorn.backup.nfs.NfsUpload}.
 * </ul>
 */
@NullMarked
package io.longhorn.backup.nfs;

import org.jspecify.annotations.NullMarked;
