package io.longhorn.frontend.nbd;

import io.longhorn.HostPort;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Where and how a server serves; immutable. */
public final class NbdSettings {

    /** The least {@link Builder#requestBytesMax}: reads of this length must be answered in one piece (section "Request types"). */
    public static final int REQUEST_BYTES_MIN = 64 << 10;

    /** The largest {@link Builder#requestBytesMax}. */
    public static final int REQUEST_BYTES_LIMIT = 256 << 20;

    private final List<NbdAddress> addresses;
    private final NbdTlsMode tlsMode;
    private final @Nullable NbdTls tls;
    private final int requestsInFlightMax;
    private final long bytesInFlightMax;
    private final int connectionsMax;
    private final int requestBytesMax;
    private final Duration handshakeLimit;
    private final Duration withdrawLimit;

    private NbdSettings(Builder builder) {
        addresses = List.copyOf(builder.addresses);
        tlsMode = builder.tlsMode;
        tls = builder.tls;
        requestsInFlightMax = builder.requestsInFlightMax;
        bytesInFlightMax = builder.bytesInFlightMax;
        connectionsMax = builder.connectionsMax;
        requestBytesMax = builder.requestBytesMax;
        handshakeLimit = builder.handshakeLimit;
        withdrawLimit = builder.withdrawLimit;
    }

    /** Settings with the defaults; an address must be added. */
    public static Builder builder() {
        return new Builder();
    }

    /** See {@link Builder#listen(NbdAddress)}; at least one. */
    public List<NbdAddress> addresses() {
        return addresses;
    }

    /** See {@link Builder#tls}. */
    public NbdTlsMode tlsMode() {
        return tlsMode;
    }

    /** See {@link Builder#tls}; empty if the mode is off. */
    public Optional<NbdTls> tls() {
        return Optional.ofNullable(tls);
    }

    /** See {@link Builder#requestsInFlightMax}. */
    public int requestsInFlightMax() {
        return requestsInFlightMax;
    }

    /** See {@link Builder#bytesInFlightMax}. */
    public long bytesInFlightMax() {
        return bytesInFlightMax;
    }

    /** See {@link Builder#connectionsMax}. */
    public int connectionsMax() {
        return connectionsMax;
    }

    /** See {@link Builder#requestBytesMax}. */
    public int requestBytesMax() {
        return requestBytesMax;
    }

    /** See {@link Builder#handshakeLimit}. */
    public Duration handshakeLimit() {
        return handshakeLimit;
    }

    /** See {@link Builder#withdrawLimit}. */
    public Duration withdrawLimit() {
        return withdrawLimit;
    }

    /** Collects settings. */
    public static final class Builder {

        private final List<NbdAddress> addresses = new ArrayList<>();
        private NbdTlsMode tlsMode = NbdTlsMode.OFF;
        private @Nullable NbdTls tls;
        private int requestsInFlightMax = 128;
        private long bytesInFlightMax = 64L << 20;
        private int connectionsMax = 256;
        private int requestBytesMax = 32 << 20;
        private Duration handshakeLimit = Duration.ofSeconds(10);
        private Duration withdrawLimit = Duration.ofSeconds(30);

        private Builder() {}

        /** Listens there too. */
        public Builder listen(NbdAddress address) {
            addresses.add(Objects.requireNonNull(address, "address"));
            return this;
        }

        /** Listens on a TCP address too; port 0 is any free one. */
        public Builder listen(HostPort address) {
            return listen(new NbdAddress.Tcp(address));
        }

        /** Listens on a Unix socket too. */
        public Builder listen(Path socket) {
            return listen(new NbdAddress.Unix(socket));
        }

        /** Offers TLS. Off by default. The mode must not be {@link NbdTlsMode#OFF}. */
        public Builder tls(NbdTlsMode mode, NbdTls files) {
            if (mode == NbdTlsMode.OFF) {
                throw new IllegalArgumentException("files of TLS are given, but the mode is off");
            }
            tlsMode = mode;
            tls = Objects.requireNonNull(files, "files");
            return this;
        }

        /** How many requests of a connection may be at work, at least 1. More are not read from it. Default 128, the depth of the queue that Linux has per connection. */
        public Builder requestsInFlightMax(int value) {
            requestsInFlightMax = value;
            return this;
        }

        /**
         * How much memory the payloads of requests of a connection may take, at least {@link #requestBytesMax}. More requests are not read from it. Default 64 MiB: two of
         * the longest requests, or 128 of 512 KiB.
         */
        public Builder bytesInFlightMax(long value) {
            bytesInFlightMax = value;
            return this;
        }

        /** How many connections there may be, at least 1; further ones are closed at once. Default 256. */
        public Builder connectionsMax(int value) {
            connectionsMax = value;
            return this;
        }

        /**
         * The longest read or write, announced to clients that ask: a multiple of 4096 from {@link #REQUEST_BYTES_MIN} to {@link #REQUEST_BYTES_LIMIT}. Default 32 MiB,
         * which the specification tells clients that do not ask to rely on.
         */
        public Builder requestBytesMax(int value) {
            requestBytesMax = value;
            return this;
        }

        /** How long a client may take from connecting to its first request, TLS included; then it is disconnected. Default 10 s. */
        public Builder handshakeLimit(Duration value) {
            handshakeLimit = Objects.requireNonNull(value, "handshakeLimit");
            return this;
        }

        /**
         * How long {@link NbdServer#withdraw} and {@link NbdServer#close} wait for requests in flight before they disconnect their clients. Default 30 s, the operation time
         * limit of a volume.
         */
        public Builder withdrawLimit(Duration value) {
            withdrawLimit = Objects.requireNonNull(value, "withdrawLimit");
            return this;
        }

        /**
         * Checks the settings.
         *
         * @throws IllegalArgumentException if one is out of range or two do not fit
         */
        public NbdSettings build() {
            if (addresses.isEmpty()) {
                throw new IllegalArgumentException("an address to listen on is missing");
            }
            atLeast(1, requestsInFlightMax, "requestsInFlightMax");
            atLeast(1, connectionsMax, "connectionsMax");
            atLeast(1, handshakeLimit.toMillis(), "handshakeLimit in milliseconds");
            atLeast(0, withdrawLimit.toMillis(), "withdrawLimit in milliseconds");
            if (requestBytesMax < REQUEST_BYTES_MIN
                    || requestBytesMax > REQUEST_BYTES_LIMIT
                    || requestBytesMax % NbdWire.PREFERRED_BLOCK_BYTES != 0) {
                throw new IllegalArgumentException("requestBytesMax must be a multiple of "
                        + NbdWire.PREFERRED_BLOCK_BYTES + " from " + REQUEST_BYTES_MIN + " to " + REQUEST_BYTES_LIMIT
                        + ", was " + requestBytesMax);
            }
            if (bytesInFlightMax < requestBytesMax) {
                throw new IllegalArgumentException("bytesInFlightMax (" + bytesInFlightMax
                        + ") must not be below requestBytesMax (" + requestBytesMax + ")");
            }
            return new NbdSettings(this);
        }

        private static void atLeast(long min, long value, String name) {
            if (value < min) {
                throw new IllegalArgumentException(name + " must be at least " + min + ", was " + value);
            }
        }
    }
}
