package io.longhorn.backup;

import io.longhorn.BackupTarget;
import io.longhorn.backup.nfs.GaneshaServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** The scenarios at a real NFS server; each test has a directory of its own. */
@Tag("real")
class NfsScenarioRealTest extends BackupScenarioContract {

    @TempDir
    private static Path servers;

    private static GaneshaServer server;
    private static int targets;

    @BeforeAll
    static void startServer() throws IOException {
        server = GaneshaServer.start(servers.resolve("server"), Files.createDirectory(servers.resolve("exported")));
    }

    @AfterAll
    static void stopServer() throws IOException {
        server.close();
    }

    @Override
    protected BackupTarget target() {
        targets++;
        return BackupTarget.at(server.url("target-" + targets, "timeo=50"));
    }
}
