package io.longhorn.frontend.iscsi;

import io.longhorn.HostPort;
import io.longhorn.frontend.scsi.ScsiTarget;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Where and how a portal serves; immutable. */
public final class IscsiSettings {

    /** The port that IANA gave iSCSI. */
    public static final int PORT = 3260;

    /** The largest number that the lengths of RFC 7143 13 can have. */
    static final int LENGTH_LIMIT = (1 << 24) - 1;

    /** What RFC 7143 13 says of the lengths nobody negotiates. Ours are not below, so that we never need to begin a negotiation. */
    static final int SEGMENT_DEFAULT = 8192;

    static final int MAX_BURST_DEFAULT = 262_144;
    static final int FIRST_BURST_DEFAULT = 65_536;

    private final List<HostPort> addresses;
    private final @Nullable HostPort advertisedAddress;
    private final int sessionsMax;
    private final int commandsInFlightMax;
    private final long bytesInFlightMax;
    private final int receiveSegmentMax;
    private final int burstMax;
    private final int firstBurstMax;
    private final boolean digestsAllowed;
    private final Duration loginLimit;
    private final Duration withdrawLimit;
    private final @Nullable Duration pingInterval;
    private final Duration pingLimit;

    private IscsiSettings(Builder builder) {
        addresses = List.copyOf(builder.addresses);
        advertisedAddress = builder.advertisedAddress;
        sessionsMax = builder.sessionsMax;
        commandsInFlightMax = builder.commandsInFlightMax;
        bytesInFlightMax = builder.bytesInFlightMax;
        receiveSegmentMax = builder.receiveSegmentMax;
        burstMax = builder.burstMax;
        firstBurstMax = builder.firstBurstMax;
        digestsAllowed = builder.digestsAllowed;
        loginLimit = builder.loginLimit;
        withdrawLimit = builder.withdrawLimit;
        pingInterval = builder.pingInterval;
        pingLimit = builder.pingLimit;
    }

    /** Settings with the defaults; an address must be added. */
    public static Builder builder() {
        return new Builder();
    }

    /** See {@link Builder#listen}; at least one. */
    public List<HostPort> addresses() {
        return addresses;
    }

    /** See {@link Builder#advertise}. */
    public Optional<HostPort> advertisedAddress() {
        return Optional.ofNullable(advertisedAddress);
    }

    /** See {@link Builder#sessionsMax}. */
    public int sessionsMax() {
        return sessionsMax;
    }

    /** See {@link Builder#commandsInFlightMax}. */
    public int commandsInFlightMax() {
        return commandsInFlightMax;
    }

    /** See {@link Builder#bytesInFlightMax}. */
    public long bytesInFlightMax() {
        return bytesInFlightMax;
    }

    /** See {@link Builder#receiveSegmentMax}. */
    public int receiveSegmentMax() {
        return receiveSegmentMax;
    }

    /** See {@link Builder#burstMax}. */
    public int burstMax() {
        return burstMax;
    }

    /** See {@link Builder#firstBurstMax}. */
    public int firstBurstMax() {
        return firstBurstMax;
    }

    /** See {@link Builder#digestsAllowed}. */
    public boolean digestsAllowed() {
        return digestsAllowed;
    }

    /** See {@link Builder#loginLimit}. */
    public Duration loginLimit() {
        return loginLimit;
    }

    /** See {@link Builder#withdrawLimit}. */
    public Duration withdrawLimit() {
        return withdrawLimit;
    }

    /** See {@link Builder#ping}; empty if idle initiators are not asked. */
    public Optional<Duration> pingInterval() {
        return Optional.ofNullable(pingInterval);
    }

    /** See {@link Builder#ping}. */
    public Duration pingLimit() {
        return pingLimit;
    }

    /** Collects settings. */
    public static final class Builder {

        private final List<HostPort> addresses = new ArrayList<>();
        private @Nullable HostPort advertisedAddress;
        private int sessionsMax = 256;
        private int commandsInFlightMax = 128;
        private long bytesInFlightMax = 32L << 20;
        private int receiveSegmentMax = 256 << 10;
        private int burstMax = 1 << 20;
        private int firstBurstMax = 256 << 10;
        private boolean digestsAllowed = true;
        private Duration loginLimit = Duration.ofSeconds(15);
        private Duration withdrawLimit = Duration.ofSeconds(30);
        private @Nullable Duration pingInterval;
        private Duration pingLimit = Duration.ofSeconds(5);

        private Builder() {}

        /** Listens there too; port 0 is any free one. */
        public Builder listen(HostPort address) {
            addresses.add(Objects.requireNonNull(address, "address"));
            return this;
        }

        /** What initiators that ask for targets are told to connect to. Default: the address they connected to. */
        public Builder advertise(HostPort address) {
            advertisedAddress = Objects.requireNonNull(address, "address");
            return this;
        }

        /** How many connections there may be, at least 1, those that are logging in included; more are refused. Default 256. */
        public Builder sessionsMax(int value) {
            sessionsMax = value;
            return this;
        }

        /** How many commands of a session may be at work, 1 to 4096; an initiator is told and keeps to it. Default 128, what Linux has. */
        public Builder commandsInFlightMax(int value) {
            commandsInFlightMax = value;
            return this;
        }

        /**
         * How much memory the data of a session's commands may take, besides what initiators may send unasked; further commands wait. At least the longest data of one
         * command, 4 MiB. Default 32 MiB.
         */
        public Builder bytesInFlightMax(long value) {
            bytesInFlightMax = value;
            return this;
        }

        /** The longest data segment that an initiator may send, 8192 to 16777215 bytes. Default 256 KiB. */
        public Builder receiveSegmentMax(int value) {
            receiveSegmentMax = value;
            return this;
        }

        /** The most data between two turns of the speaker, 262144 to 16777215 bytes; an initiator may ask for less. Default 1 MiB. */
        public Builder burstMax(int value) {
            burstMax = value;
            return this;
        }

        /** The most data of a command that an initiator may send unasked, 65536 bytes to {@link #burstMax}; an initiator may ask for less. Default 256 KiB. */
        public Builder firstBurstMax(int value) {
            firstBurstMax = value;
            return this;
        }

        /** Whether initiators may have checksums of headers and data. They cost little: default true. */
        public Builder digestsAllowed(boolean value) {
            digestsAllowed = value;
            return this;
        }

        /** How long an initiator may take to log in; then it is disconnected. Default 15 s. */
        public Builder loginLimit(Duration value) {
            loginLimit = Objects.requireNonNull(value, "loginLimit");
            return this;
        }

        /**
         * How long {@link IscsiPortal#withdraw} and {@link IscsiPortal#close} wait for commands in flight once their sessions are disconnected. Default 30 s, the operation
         * time limit of a volume.
         */
        public Builder withdrawLimit(Duration value) {
            withdrawLimit = Objects.requireNonNull(value, "withdrawLimit");
            return this;
        }

        /** Asks an initiator that said nothing for the interval whether it is there, and disconnects it if it does not answer within the limit. Default: nobody is asked. */
        public Builder ping(Duration interval, Duration limit) {
            pingInterval = Objects.requireNonNull(interval, "interval");
            pingLimit = Objects.requireNonNull(limit, "limit");
            return this;
        }

        /**
         * Checks the settings.
         *
         * @throws IllegalArgumentException if one is out of range or two do not fit
         */
        public IscsiSettings build() {
            if (addresses.isEmpty()) {
                throw new IllegalArgumentException("an address to listen on is missing");
            }
            inRange(1, Integer.MAX_VALUE, sessionsMax, "sessionsMax");
            inRange(1, CommandWindow.SIZE_MAX, commandsInFlightMax, "commandsInFlightMax");
            inRange(ScsiTarget.TRANSFER_BYTES_MAX, Long.MAX_VALUE, bytesInFlightMax, "bytesInFlightMax");
            inRange(SEGMENT_DEFAULT, LENGTH_LIMIT, receiveSegmentMax, "receiveSegmentMax");
            inRange(MAX_BURST_DEFAULT, LENGTH_LIMIT, burstMax, "burstMax");
            inRange(FIRST_BURST_DEFAULT, burstMax, firstBurstMax, "firstBurstMax");
            inRange(1, Long.MAX_VALUE, loginLimit.toMillis(), "loginLimit in milliseconds");
            inRange(0, Long.MAX_VALUE, withdrawLimit.toMillis(), "withdrawLimit in milliseconds");
            inRange(1, Long.MAX_VALUE, pingLimit.toMillis(), "limit of ping in milliseconds");
            if (pingInterval != null) {
                inRange(1, Long.MAX_VALUE, pingInterval.toMillis(), "interval of ping in milliseconds");
            }
            return new IscsiSettings(this);
        }

        private static void inRange(long min, long max, long value, String name) {
            if (value < min || value > max) {
                throw new IllegalArgumentException(name + " must be " + min + " to " + max + ", was " + value);
            }
        }
    }
}
