package io.longhorn.frontend.nbd;

import io.longhorn.HostPort;
import io.longhorn.frontend.BlockDevice;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import java.time.Duration;
import java.util.function.UnaryOperator;

/** A server on a free port whose buffers are counted: closing it fails if one is left. */
final class ServedDevices implements AutoCloseable {

    static {
        // Says where a buffer that is left behind came from; that there is none is checked by counting.
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
    }

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
    private final NbdThreads threads = NbdThreads.start(2);
    private final NbdServer server;

    private ServedDevices(NbdSettings settings, BlockDevice... devices) {
        server = NbdServer.start(settings, threads, allocator);
        for (BlockDevice device : devices) {
            server.serve(device, "about " + device.name());
        }
    }

    static ServedDevices of(BlockDevice... devices) {
        return of(settings -> settings, devices);
    }

    static ServedDevices of(UnaryOperator<NbdSettings.Builder> changes, BlockDevice... devices) {
        NbdSettings.Builder settings =
                NbdSettings.builder().listen(new HostPort("127.0.0.1", 0)).withdrawLimit(Duration.ofSeconds(20));
        return new ServedDevices(changes.apply(settings).build(), devices);
    }

    NbdServer server() {
        return server;
    }

    NbdAddress address() {
        return server.address();
    }

    NbdClient simple(String export) throws Exception {
        return NbdClient.simple(address(), export);
    }

    NbdClient structured(String export) throws Exception {
        return NbdClient.structured(address(), export);
    }

    NbdClient greeted() throws Exception {
        return NbdClient.greeted(address());
    }

    @Override
    public void close() {
        server.close();
        threads.close();
        long left = allocator.metric().usedDirectMemory() + allocator.metric().usedHeapMemory();
        if (left != 0) {
            throw new AssertionError(left + " bytes of buffers are left");
        }
    }
}
