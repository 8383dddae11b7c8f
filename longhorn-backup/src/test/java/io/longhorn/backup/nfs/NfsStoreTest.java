package io.longhorn.backup.nfs;

import io.longhorn.backup.ObjectStore;
import io.longhorn.backup.ObjectStoreContract;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;

/** The contract, at a server in memory; {@link NfsStoreRealTest} is the same at a real one. */
class NfsStoreTest extends ObjectStoreContract {
    private FakeNfsServer server;

    @Override
    protected ObjectStore open() throws IOException {
        server = new FakeNfsServer();
        return new NfsStore(NfsTarget.parse(server.url("not/made/yet", "timeo=50")));
    }

    @AfterEach
    void stopServer() throws IOException {
        server.close();
    }
}
