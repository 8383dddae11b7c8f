package io.longhorn.backup.nfs;

import io.longhorn.BackupTarget;
import io.longhorn.backup.ObjectStore;
import io.longhorn.backup.ObjectStoreContract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** The contract, at a real server; each test has a directory that is missing before. */
@Tag("real")
class NfsStoreRealTest extends ObjectStoreContract {

    @TempDir
    private static Path directory;

    private static GaneshaServer server;
    private static int stores;

    @BeforeAll
    static void startServer() throws IOException {
        Path exported = Files.createDirectory(directory.resolve("exported"));
        server = GaneshaServer.start(directory.resolve("server"), exported);
    }

    @AfterAll
    static void stopServer() throws IOException {
        server.close();
    }

    @Override
    protected ObjectStore open() {
        stores++;
        return new NfsStoreProvider().open(BackupTarget.at(server.url("a/store-" + stores, "timeo=50")));
    }
}
