package io.longhorn.backup.nfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.BackupTarget;
import io.longhorn.backup.BackupScenarioContract;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** The scenarios at a real NFS server over connections that are cut again and again. */
@Tag("real")
class NfsFaultScenarioRealTest extends BackupScenarioContract {
    /** Less than most scenarios move. */
    private static final long CUT_EVERY_BYTES = 3_300_000;

    @TempDir
    private static Path servers;

    private static GaneshaServer server;
    private static CuttableProxy proxy;
    private static int targets;

    @BeforeAll
    static void startServer() throws IOException {
        server = GaneshaServer.start(servers.resolve("server"), Files.createDirectory(servers.resolve("exported")));
        proxy = new CuttableProxy(server.port());
        proxy.cutEvery(CUT_EVERY_BYTES);
    }

    @AfterAll
    static void stopServer() throws IOException {
        assertThat(proxy.cuts()).isGreaterThan(10);
        proxy.close();
        server.close();
    }

    @Override
    protected BackupTarget target() {
        targets++;
        return BackupTarget.at(
                URI.create("nfs://127.0.0.1:" + proxy.port() + "/exp/target-" + targets + "?nfsOptions=timeo=50"));
    }
}
