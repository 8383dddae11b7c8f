package io.longhorn;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where registry and replica servers are, how to prove who we are, and the settings, grouped by concern in
 * {@link TimeLimits}, {@link DataPathSettings} and {@link RebuildSettings}; each names units, defaults and why.
 * Immutable; made by {@link #builder()}. Building it opens nothing.
 */
public final class LonghornConfig {

    private final Path registry;
    private final List<HostPort> replicaServers;
    private final @Nullable String token;
    private final @Nullable Tls tls;
    private final TimeLimits timeLimits;
    private final DataPathSettings dataPath;
    private final RebuildSettings rebuild;

    private LonghornConfig(Builder builder, Path registry, TimeLimits timeLimits) {
        this.registry = registry;
        replicaServers = List.copyOf(builder.replicaServers);
        token = builder.token;
        tls = builder.tls;
        this.timeLimits = timeLimits;
        dataPath = new DataPathSettings(builder.readCacheBytes, builder.queueDepthMax, builder.inFlightBytesMax);
        rebuild = new RebuildSettings(builder.rebuildBytesPerSecondMax);
    }

    public static Builder builder() {
        return new Builder();
    }

    /** The directory of the file-based registry. */
    public Path registry() {
        return registry;
    }

    /** At least one, in the order given, unmodifiable. */
    public List<HostPort> replicaServers() {
        return replicaServers;
    }

    /** The shared secret; never in {@link #toString()}, and not for logs. */
    public Optional<String> token() {
        return Optional.ofNullable(token);
    }

    public Optional<Tls> tls() {
        return Optional.ofNullable(tls);
    }

    public TimeLimits timeLimits() {
        return timeLimits;
    }

    public DataPathSettings dataPath() {
        return dataPath;
    }

    public RebuildSettings rebuild() {
        return rebuild;
    }

    /** Everything but the token. */
    @Override
    public String toString() {
        return "LonghornConfig[registry=" + registry + ", replicaServers=" + replicaServers + ", token="
                + (token == null ? "none" : "hidden") + ", tls=" + (tls == null ? "none" : tls.toString()) + ", "
                + timeLimits + ", " + dataPath + ", " + rebuild + "]";
    }

    /** Collects a configuration. Each method checks its own value at once, {@link #build()} checks how they fit. */
    public static final class Builder {

        /** Fits one hello message. */
        private static final int TOKEN_BYTES_MAX = 1024;

        private @Nullable Path registry;
        private final List<HostPort> replicaServers = new ArrayList<>();
        private @Nullable String token;
        private @Nullable Tls tls;
        private Duration operation = TimeLimits.DEFAULTS.operation();
        private Duration opening = TimeLimits.DEFAULTS.opening();
        private Duration connect = TimeLimits.DEFAULTS.connect();
        private Duration silenceRemoval = TimeLimits.DEFAULTS.silenceRemoval();
        private Duration lease = TimeLimits.DEFAULTS.lease();
        private Duration reconnect = TimeLimits.DEFAULTS.reconnect();
        private Duration registryCheck = TimeLimits.DEFAULTS.registryCheck();
        private long readCacheBytes = DataPathSettings.DEFAULTS.readCacheBytes();
        private int queueDepthMax = DataPathSettings.DEFAULTS.queueDepthMax();
        private long inFlightBytesMax = DataPathSettings.DEFAULTS.inFlightBytesMax();
        private long rebuildBytesPerSecondMax = RebuildSettings.DEFAULTS.bytesPerSecondMax();

        private Builder() {}

        /**
         * The directory of the file-based registry, shared by all processes of this host that use these volumes; created
         * if it does not exist. Required.
         */
        public Builder registry(Path directory) {
            registry = Objects.requireNonNull(directory, "directory");
            return this;
        }

        /**
         * Adds a replica server. A new volume needs as many as it has replicas. Default: those that hold replicas of the registry's volumes.
         *
         * @param hostPort {@code host:port} or {@code [ipv6]:port}
         * @throws IllegalArgumentException if it is no such address, or was added before
         */
        public Builder replicaServer(String hostPort) {
            HostPort server = HostPort.parse(hostPort);
            if (server.port() == 0) {
                throw new IllegalArgumentException("replica server " + hostPort + " needs a port of 1 to 65535");
            }
            if (replicaServers.contains(server)) {
                throw new IllegalArgumentException("replica server " + server + " is named twice");
            }
            replicaServers.add(server);
            return this;
        }

        /**
         * The secret that replica servers were started with. Default none: then TLS, or servers on loopback.
         *
         * @param secret 1 to 1024 bytes of UTF-8 without line ends
         */
        public Builder token(String secret) {
            int bytes = secret.getBytes(StandardCharsets.UTF_8).length;
            if (secret.isBlank() || bytes > TOKEN_BYTES_MAX || secret.indexOf('\n') >= 0 || secret.indexOf('\r') >= 0) {
                throw new IllegalArgumentException("token must be 1 to " + TOKEN_BYTES_MAX
                        + " bytes of UTF-8, not blank, without line ends; it has " + bytes + " bytes");
            }
            token = secret;
            return this;
        }

        /** Speaks TLS with client certificates; see {@link Tls}. Default none. Files are read when connecting. */
        public Builder tls(Path certificate, Path key, Path authority) {
            tls = new Tls(certificate, key, authority);
            return this;
        }

        /** See {@link TimeLimits#operation()}. */
        public Builder operationTimeLimit(Duration limit) {
            operation = Objects.requireNonNull(limit, "limit");
            return this;
        }

        /** See {@link TimeLimits#opening()}. */
        public Builder openingTimeLimit(Duration limit) {
            opening = Objects.requireNonNull(limit, "limit");
            return this;
        }

        /** See {@link TimeLimits#connect()}. */
        public Builder connectTimeLimit(Duration limit) {
            connect = Objects.requireNonNull(limit, "limit");
            return this;
        }

        /** See {@link TimeLimits#silenceRemoval()}. */
        public Builder silenceRemoval(Duration silence) {
            silenceRemoval = Objects.requireNonNull(silence, "silence");
            return this;
        }

        /** See {@link TimeLimits#lease()}. */
        public Builder lease(Duration length) {
            lease = Objects.requireNonNull(length, "length");
            return this;
        }

        /** See {@link TimeLimits#reconnect()}. */
        public Builder reconnect(Duration pause) {
            reconnect = Objects.requireNonNull(pause, "pause");
            return this;
        }

        /** See {@link TimeLimits#registryCheck()}. */
        public Builder registryCheck(Duration interval) {
            registryCheck = Objects.requireNonNull(interval, "interval");
            return this;
        }

        /** See {@link DataPathSettings#readCacheBytes()}. */
        public Builder readCacheBytes(long bytes) {
            readCacheBytes = bytes;
            return this;
        }

        /** See {@link DataPathSettings#queueDepthMax()}. */
        public Builder queueDepthMax(int operations) {
            queueDepthMax = operations;
            return this;
        }

        /** See {@link DataPathSettings#inFlightBytesMax()}. */
        public Builder inFlightBytesMax(long bytes) {
            inFlightBytesMax = bytes;
            return this;
        }

        /** See {@link RebuildSettings#bytesPerSecondMax()}. */
        public Builder rebuildBytesPerSecondMax(long bytes) {
            rebuildBytesPerSecondMax = bytes;
            return this;
        }

        /**
         * Checks how the settings fit together.
         *
         * @throws IllegalArgumentException if something required is missing, or two settings contradict each other
         */
        public LonghornConfig build() {
            if (registry == null) {
                throw new IllegalArgumentException("registry(Path) is required");
            }
            TimeLimits timeLimits =
                    new TimeLimits(operation, opening, connect, silenceRemoval, lease, reconnect, registryCheck);
            return new LonghornConfig(this, registry, timeLimits);
        }
    }
}
