package io.longhorn.backup.s3;

import io.longhorn.BackupTarget;
import io.longhorn.backup.BackupScenarioContract;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The scenarios at a real S3 server; each test has a path of its own. */
class S3ScenarioTest extends BackupScenarioContract {
    @TempDir
    private static Path bucket;

    private static S3Server server;
    private static int targets;

    @BeforeAll
    static void startServer() throws Exception {
        server = S3Server.start(bucket);
    }

    @AfterAll
    static void stopServer() {
        server.close();
    }

    @Override
    protected BackupTarget target() {
        targets++;
        return server.target("target-" + targets + "/");
    }
}
