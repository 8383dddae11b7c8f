package io.longhorn.frontend.iscsi;

import io.longhorn.frontend.BlockDevice;
import io.longhorn.frontend.scsi.ReservationStore;
import io.longhorn.frontend.scsi.ScsiTargetSpec;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A target to serve: its name, its device, and who may use it; immutable. */
public final class IscsiTargetSpec {

    private final String iqn;
    private final BlockDevice device;
    private final int lun;
    private final @Nullable ChapCredentials initiatorCredentials;
    private final @Nullable ChapCredentials targetCredentials;
    private final ReservationStore reservations;
    private final Set<String> initiators;

    private IscsiTargetSpec(Builder builder) {
        iqn = builder.iqn;
        device = builder.device;
        lun = builder.lun;
        initiatorCredentials = builder.initiatorCredentials;
        targetCredentials = builder.targetCredentials;
        reservations = builder.reservations;
        initiators = Set.copyOf(builder.initiators);
    }

    /** A target that serves the device as LUN {@link ScsiTargetSpec#LUN_DEFAULT} to everybody. The device stays the caller's, and must outlive the target. */
    public static Builder of(String iqn, BlockDevice device) {
        return new Builder(iqn, device);
    }

    /** The name of the target, in lower case. */
    public String iqn() {
        return iqn;
    }

    /** What it serves. */
    public BlockDevice device() {
        return device;
    }

    /** See {@link Builder#lun}. */
    public int lun() {
        return lun;
    }

    /** See {@link Builder#chap}. */
    public Optional<ChapCredentials> initiatorCredentials() {
        return Optional.ofNullable(initiatorCredentials);
    }

    /** See {@link Builder#mutualChap}. */
    public Optional<ChapCredentials> targetCredentials() {
        return Optional.ofNullable(targetCredentials);
    }

    /** See {@link Builder#reservations}. */
    public ReservationStore reservations() {
        return reservations;
    }

    /** See {@link Builder#initiator}; empty if everybody may log in. */
    public Set<String> initiators() {
        return initiators;
    }

    /** Whether the initiator of that name, in lower case, may log in and is told of the target. */
    boolean admits(String initiator) {
        return initiators.isEmpty() || initiators.contains(initiator);
    }

    /** Collects what describes a target. */
    public static final class Builder {

        private final String iqn;
        private final BlockDevice device;
        private int lun = ScsiTargetSpec.LUN_DEFAULT;
        private @Nullable ChapCredentials initiatorCredentials;
        private @Nullable ChapCredentials targetCredentials;
        private ReservationStore reservations = ReservationStore.NONE;
        private final Set<String> initiators = new TreeSet<>();

        private Builder(String iqn, BlockDevice device) {
            this.iqn = Objects.requireNonNull(iqn, "iqn").toLowerCase(Locale.ROOT);
            this.device = Objects.requireNonNull(device, "device");
        }

        /** The number of the logical unit, 0 to {@link ScsiTargetSpec#LUN_MAX}. Default {@link ScsiTargetSpec#LUN_DEFAULT}, as Longhorn has it. */
        public Builder lun(int value) {
            lun = value;
            return this;
        }

        /** Who logs in must prove to know this name and secret. Default: nobody is asked. */
        public Builder chap(ChapCredentials initiator) {
            initiatorCredentials = Objects.requireNonNull(initiator, "initiator");
            return this;
        }

        /**
         * As {@link #chap}; and to an initiator that asks, the target proves itself with its own name and secret.
         *
         * @param target with another secret than the initiator's (RFC 7143 9.2.1)
         */
        public Builder mutualChap(ChapCredentials initiator, ChapCredentials target) {
            targetCredentials = Objects.requireNonNull(target, "target");
            return chap(initiator);
        }

        /** Where persistent reservations are kept. Default {@link ReservationStore#NONE}. */
        public Builder reservations(ReservationStore value) {
            reservations = Objects.requireNonNull(value, "reservations");
            return this;
        }

        /** Only initiators that are named so may log in; may be called several times. Names prove nothing: see {@link #chap}. */
        public Builder initiator(String name) {
            initiators.add(name.toLowerCase(Locale.ROOT));
            return this;
        }

        /**
         * Checks the description.
         *
         * @throws IllegalArgumentException if a name or number is out of range, or both sides of CHAP have one secret
         */
        public IscsiTargetSpec build() {
            if (!IscsiNames.isValid(iqn)) {
                throw new IllegalArgumentException("not the name of an iSCSI target: \"" + iqn + "\"");
            }
            if (lun < 0 || lun > ScsiTargetSpec.LUN_MAX) {
                throw new IllegalArgumentException("lun must be 0 to " + ScsiTargetSpec.LUN_MAX + ", was " + lun);
            }
            if (initiatorCredentials != null
                    && targetCredentials != null
                    && initiatorCredentials.secret().equals(targetCredentials.secret())) {
                throw new IllegalArgumentException("target and initiator must have different secrets");
            }
            return new IscsiTargetSpec(this);
        }
    }
}
