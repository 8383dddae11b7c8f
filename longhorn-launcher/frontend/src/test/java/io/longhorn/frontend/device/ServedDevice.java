package io.longhorn.frontend.device;

import io.longhorn.frontend.BlockDevice;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;

/** A server that only notes what it shall serve. */
final class ServedDevice implements DeviceServer {

    final List<String> served = new ArrayList<>();
    private final URI uri;

    ServedDevice(String uri) {
        this.uri = URI.create(uri);
    }

    @Override
    public URI serve(BlockDevice device) {
        served.add(device.name());
        return uri;
    }

    @Override
    public void withdraw(String name) {
        served.remove(name);
    }
}
