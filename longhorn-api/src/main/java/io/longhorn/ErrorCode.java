package io.longhorn;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Every condition with its stable number, as it goes over the wire between engines and replica servers. A number is never
 * changed, and never used again after its condition is gone; new ones are added at the end of their group.
 *
 * <p>Groups by thousand follow the branches of {@link LonghornException}: 1000 {@link VolumeException}, 2000
 * {@link ReplicaException}, 3000 {@link BackupException}, 4000 {@link FrontendException}. Conditions that engine and
 * replica settle between themselves have numbers too, but no public class.
 */
public enum ErrorCode {

    /** See {@link VolumeNotFoundException}. */
    VOLUME_NOT_FOUND(1001, Remedy.FIX_ARGUMENT),
    /** See {@link VolumeExistsException}. */
    VOLUME_EXISTS(1002, Remedy.FIX_ARGUMENT),
    /** See {@link VolumeInUseException}. */
    VOLUME_IN_USE(1003, Remedy.FIX_ARGUMENT),
    /** See {@link VolumeClosedException}. */
    VOLUME_CLOSED(1004, Remedy.REOPEN),
    /** See {@link FencedException}. On the wire: the message is of an older epoch than the replica has promised. */
    FENCED(1005, Remedy.REOPEN),
    /** See {@link ReadOnlyVolumeException}. */
    VOLUME_READ_ONLY(1006, Remedy.FIX_ARGUMENT),
    /** See {@link TooFewReplicasException}. */
    TOO_FEW_REPLICAS(1007, Remedy.RETRY),
    /** See {@link TimeLimitException}. */
    TIME_LIMIT(1008, Remedy.RETRY),
    /** See {@link QueueFullException}. */
    QUEUE_FULL(1009, Remedy.RETRY),
    /** See {@link UnflushedWritesLostException}. */
    UNFLUSHED_WRITES_LOST(1010, Remedy.REOPEN),
    /** See {@link VolumeFaultedException}. */
    VOLUME_FAULTED(1011, Remedy.REOPEN),
    /** See {@link SalvageNeededException}. */
    SALVAGE_NEEDED(1012, Remedy.SALVAGE),
    /** See {@link SalvageRefusedException}. */
    SALVAGE_REFUSED(1013, Remedy.FIX_ARGUMENT),
    /** See {@link VolumeLostException}. */
    VOLUME_LOST(1014, Remedy.VOLUME_LOST),
    /** See {@link DamagedBlockException}. On the wire: this replica's copy fails its checksum; others may be good. */
    DAMAGED_BLOCK(1015, Remedy.DATA_LOST),
    /** See {@link TransferException}. */
    TRANSFER_FAILED(1016, Remedy.FIX_SETUP),
    /** See {@link RegistryUnavailableException}. */
    REGISTRY_UNAVAILABLE(1017, Remedy.RETRY),
    /** See {@link EngineMissingException}. */
    ENGINE_MISSING(1018, Remedy.FIX_SETUP),
    /** See {@link VolumeIncompleteException}. */
    VOLUME_INCOMPLETE(1019, Remedy.RETRY),

    /** See {@link SnapshotNotFoundException}. */
    SNAPSHOT_NOT_FOUND(1101, Remedy.FIX_ARGUMENT),
    /** See {@link SnapshotExistsException}. */
    SNAPSHOT_EXISTS(1102, Remedy.FIX_ARGUMENT),
    /** See {@link SnapshotLimitException}. */
    SNAPSHOT_LIMIT(1103, Remedy.FREE_SPACE),

    /** See {@link ReplicaUnreachableException}. */
    REPLICA_UNREACHABLE(2001, Remedy.RETRY),
    /** See {@link ReplicaNotFoundException}. */
    REPLICA_NOT_FOUND(2002, Remedy.FIX_ARGUMENT),
    /** See {@link WrongClusterException}. */
    WRONG_CLUSTER(2003, Remedy.FIX_SETUP),
    /** The server has a replica of that id, or of that volume, already. */
    REPLICA_EXISTS(2004, Remedy.FIX_ARGUMENT),
    /** The message names another volume, or another replica, than the one it arrived at. */
    REPLICA_MISMATCH(2005, Remedy.FIX_SETUP),
    /** The replica cannot serve this now: it starts, stops, or is being rebuilt. */
    REPLICA_NOT_READY(2006, Remedy.RETRY),
    /** The replica may have lost its newest records with the power of its host. */
    REPLICA_UNCERTAIN(2007, Remedy.GO_ON_DEGRADED),
    /** The replica is half rebuilt: a mix of old and new blocks. */
    REPLICA_MIXED(2008, Remedy.GO_ON_DEGRADED),
    /** The replica lost or damaged records that it had confirmed. */
    REPLICA_DAMAGED(2009, Remedy.GO_ON_DEGRADED),
    /** The server has as many replicas, connections or sessions as it may have. */
    REPLICA_LIMIT(2010, Remedy.FIX_SETUP),

    /** See {@link DiskFullException}. */
    DISK_FULL(2101, Remedy.FREE_SPACE),
    /** See {@link DiskLockedException}. */
    DISK_LOCKED(2102, Remedy.FIX_SETUP),
    /** See {@link DiskFailedException}. */
    DISK_FAILED(2103, Remedy.FIX_SETUP),
    /** See {@link DiskReadOnlyException}. */
    DISK_READ_ONLY(2104, Remedy.FIX_SETUP),
    /** See {@link MissingFileException}. */
    FILE_MISSING(2111, Remedy.FIX_SETUP),
    /** See {@link DamagedFileException}. */
    FILE_DAMAGED(2112, Remedy.GO_ON_DEGRADED),
    /** See {@link ForeignFileException}. */
    FILE_FOREIGN(2113, Remedy.FIX_SETUP),
    /** See {@link FileTooOldException}. */
    FILE_TOO_OLD(2114, Remedy.FIX_VERSION),
    /** See {@link FileTooNewException}. */
    FILE_TOO_NEW(2115, Remedy.FIX_VERSION),

    /** See {@link ProtocolException}. */
    PROTOCOL_VIOLATED(2201, Remedy.RETRY),
    /** See {@link VersionMismatchException}. */
    VERSION_MISMATCH(2202, Remedy.FIX_VERSION),
    /** See {@link AuthenticationFailedException}. */
    AUTHENTICATION_FAILED(2203, Remedy.FIX_SETUP),
    /** See {@link InsecureListenException}. */
    INSECURE_LISTEN(2204, Remedy.FIX_SETUP),
    /** A frame is longer than its type may be. */
    FRAME_TOO_LONG(2205, Remedy.RETRY),
    /** A frame's header or a block in it does not match its checksum. */
    CHECKSUM_REFUSED(2206, Remedy.RETRY),
    /** The sequence number is not the last one plus one. */
    SEQUENCE_GAP(2207, Remedy.RETRY),
    /** The message type or feature is not known, or was not agreed on. */
    UNSUPPORTED(2208, Remedy.FIX_VERSION),
    /** A range lies outside the replica, the snapshot or the frame. */
    RANGE_REFUSED(2209, Remedy.FIX_ARGUMENT),
    /** A field holds a value that it may not hold. */
    FIELD_REFUSED(2210, Remedy.FIX_ARGUMENT),
    /** A newer connection or session took the place of this one. */
    SUPERSEDED(2211, Remedy.RETRY),
    /** The pin that protects a removed snapshot is not, or no longer, held. */
    PIN_NOT_HELD(2212, Remedy.RETRY),
    /** Too many requests are waiting; back pressure of the server. */
    SERVER_BUSY(2213, Remedy.RETRY),
    /** The condition of a conditional message does not hold any more; nothing was done. */
    CONDITION_FAILED(2214, Remedy.RETRY),
    /** The server stops. */
    SERVER_STOPPING(2215, Remedy.RETRY),
    /** A broken invariant inside the server; its log has more. */
    SERVER_FAILED(2216, Remedy.GO_ON_DEGRADED),

    /** See {@link BackupModuleMissingException}. */
    BACKUP_MODULE_MISSING(3001, Remedy.FIX_SETUP),
    /** See {@link BackupNotFoundException}. */
    BACKUP_NOT_FOUND(3002, Remedy.FIX_ARGUMENT),
    /** See {@link BackupTargetException}. */
    BACKUP_TARGET_FAILED(3003, Remedy.FIX_SETUP),
    /** See {@link DamagedBackupException}. */
    BACKUP_DAMAGED(3004, Remedy.FIX_SETUP),
    /** See {@link BackupInProgressException}. */
    BACKUP_IN_PROGRESS(3005, Remedy.RETRY),
    /** See {@link BackupTargetBusyException}. */
    BACKUP_TARGET_BUSY(3006, Remedy.RETRY),
    /** See {@link BackupExistsException}. */
    BACKUP_EXISTS(3007, Remedy.FIX_ARGUMENT),
    /** See {@link BackupKeyException}. */
    BACKUP_KEY_UNFIT(3008, Remedy.FIX_SETUP),

    /** A frontend could not be started or failed. */
    FRONTEND_FAILED(4001, Remedy.FIX_SETUP),

    /** The NBD server serves an export of that name already. */
    NBD_EXPORT_EXISTS(4101, Remedy.FIX_ARGUMENT),
    /** The NBD server cannot listen on an address. */
    NBD_LISTEN_FAILED(4102, Remedy.FIX_SETUP),
    /** The NBD server's files for TLS are missing or wrong. */
    NBD_TLS_FILES_UNFIT(4103, Remedy.FIX_SETUP),

    /** The iSCSI portal serves a target of that name already. */
    ISCSI_TARGET_EXISTS(4201, Remedy.FIX_ARGUMENT),
    /** The iSCSI portal cannot listen on an address. */
    ISCSI_LISTEN_FAILED(4202, Remedy.FIX_SETUP),
    /** The persistent reservations of an iSCSI target are kept but cannot be read; it is not served. */
    RESERVATIONS_UNREADABLE(4203, Remedy.FIX_SETUP),

    /** This host offers no way to show a volume as a block device of its kernel. */
    DEVICE_MECHANISM_MISSING(4301, Remedy.FIX_SETUP),
    /** A kernel device is mounted or open, or its name is taken. */
    DEVICE_BUSY(4302, Remedy.RETRY),
    /** The process may not make kernel devices. */
    DEVICE_NOT_PERMITTED(4303, Remedy.FIX_SETUP),
    /** The system, or a command of it, refused what a kernel device needs. */
    DEVICE_FAILED(4304, Remedy.FIX_SETUP),

    /** The node daemon shows the volume by a frontend, and the call needs it detached. */
    VOLUME_ATTACHED(4901, Remedy.FIX_ARGUMENT),
    /** A frontend would listen where others than this machine reach it, and nobody said that they may. */
    FRONTEND_OPEN(4902, Remedy.FIX_SETUP);

    private static final Map<Integer, ErrorCode> BY_NUMBER = new HashMap<>();

    static {
        for (ErrorCode code : values()) {
            ErrorCode earlier = BY_NUMBER.put(code.number, code);
            if (earlier != null) {
                throw new IllegalStateException(earlier + " and " + code + " share the number " + code.number);
            }
        }
    }

    private final int number;
    private final Remedy remedy;

    ErrorCode(int number, Remedy remedy) {
        this.number = number;
        this.remedy = remedy;
    }

    /** The code of that number; empty if a newer version sent one that we do not know. */
    public static Optional<ErrorCode> of(int number) {
        return Optional.ofNullable(BY_NUMBER.get(number));
    }

    /** Stable for ever, positive, fits 16 bits. */
    public int number() {
        return number;
    }

    /** What the caller can do. */
    public Remedy remedy() {
        return remedy;
    }
}
