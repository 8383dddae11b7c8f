package io.longhorn.frontend.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.HostPort;
import io.longhorn.frontend.MemoryDevice;
import io.netty.buffer.PoolArenaMetric;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import java.util.function.Consumer;

/** A portal on a free port that serves a device in memory; when it is closed, all memory must have been given back. */
final class ServedPortal implements AutoCloseable {

    static {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
    }

    static final String IQN = "iqn.2026-01.io.longhorn:disk";
    static final int SIZE = 16 << 20;

    /** Without caches per thread, so that its figures are exact. */
    private final PooledByteBufAllocator allocator = new PooledByteBufAllocator(true, 1, 1, 8192, 9, 0, 0, false);

    final MemoryDevice device = new MemoryDevice("disk", SIZE);
    final IscsiPortal portal;

    ServedPortal() {
        this(settings -> {}, target -> {});
    }

    ServedPortal(Consumer<IscsiSettings.Builder> settings, Consumer<IscsiTargetSpec.Builder> target) {
        IscsiSettings.Builder builder = IscsiSettings.builder().listen(new HostPort("127.0.0.1", 0));
        settings.accept(builder);
        portal = IscsiPortal.start(builder.build(), allocator);
        IscsiTargetSpec.Builder spec = IscsiTargetSpec.of(IQN, device);
        target.accept(spec);
        portal.serve(spec.build());
    }

    HostPort address() {
        return portal.address();
    }

    @Override
    public void close() {
        device.letAllGo();
        portal.close();
        long active = allocator.metric().directArenas().stream()
                        .mapToLong(PoolArenaMetric::numActiveAllocations)
                        .sum()
                + allocator.metric().heapArenas().stream()
                        .mapToLong(PoolArenaMetric::numActiveAllocations)
                        .sum();
        assertThat(active).as("buffers that were not released").isZero();
    }
}
