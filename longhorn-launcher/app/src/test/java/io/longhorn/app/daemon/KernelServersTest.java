package io.longhorn.app.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.Longhorn;
import io.longhorn.VolumeSpec;
import io.longhorn.frontend.BlockDevice;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the kernel's clients log in to. */
class KernelServersTest {

    @TempDir
    private Path directory;

    private Longhorn longhorn;
    private BlockDevice device;

    @BeforeEach
    void open() {
        longhorn = Longhorn.embedded(directory.resolve("data"));
        device = BlockDevice.of(
                longhorn.create(VolumeSpec.named("Orders_1").sizeBytes(4096).build()));
    }

    @AfterEach
    void close() {
        longhorn.close();
    }

    @Test
    void aTargetIsFoundAgainWhereItWas() throws IOException {
        Path file = directory.resolve("iscsi.port");
        URI before;
        try (KernelIscsi first = new KernelIscsi(file)) {
            before = first.serve(device);
            assertThat(first.serve(device)).as("served already").isEqualTo(before);
        }
        try (KernelIscsi second = new KernelIscsi(file)) {
            assertThat(second.serve(device)).isEqualTo(before);
            second.withdraw(device.name());
            second.withdraw(device.name());
        }
        assertThat(KernelIscsi.iqn("Orders_1")).isNotEqualTo(KernelIscsi.iqn("orders-1"));

        for (String damaged : new String[] {"x", "70000"}) {
            Files.writeString(file, damaged);
            try (KernelIscsi third = new KernelIscsi(file)) {
                assertThatThrownBy(() -> third.serve(device))
                        .isInstanceOf(FrontendFailedException.class)
                        .hasMessageContaining(file + " is damaged");
            }
        }
    }

    @Test
    void anExportIsServedOnceAndItsSocketGoesWithTheServer() {
        Path socket = directory.resolve("nbd.sock");
        try (KernelNbd nbd = new KernelNbd(socket)) {
            nbd.withdraw("nobody");
            assertThat(socket).doesNotExist();
            URI uri = nbd.serve(device);
            assertThat(uri).hasToString("nbd+unix:///Orders_1?socket=" + socket);
            assertThat(nbd.serve(device)).isEqualTo(uri);
            nbd.withdraw("Orders_1");
            assertThat(nbd.serve(device)).isEqualTo(uri);
        }
        assertThat(socket).doesNotExist();
    }
}
