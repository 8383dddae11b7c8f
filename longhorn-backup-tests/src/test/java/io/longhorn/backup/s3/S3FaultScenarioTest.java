package io.longhorn.backup.s3;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.BackupTarget;
import io.longhorn.backup.BackupScenarioContract;
import io.longhorn.backup.s3.FaultyProxy.Fault;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The scenarios at a real S3 server over a bad line: one request in so many is cut, refused or carried out without an answer, and nobody notices. */
class S3FaultScenarioTest extends BackupScenarioContract {
    /** A prime, so that no step of a scenario is spared in every round. */
    private static final int ONE_IN = 29;

    private static final List<Fault> FAULTS = List.of(
            Fault.loseAnswer(),
            Fault.answer(503, "SlowDown"),
            Fault.cutUpload(100_000),
            Fault.cutDownload(100_000),
            Fault.answer(500, "InternalError"),
            Fault.cutUpload(10),
            Fault.cutDownload(10));

    @TempDir
    private static Path bucket;

    private static S3Server server;
    private static FaultyProxy proxy;
    private static int targets;

    @BeforeAll
    static void startServer() throws Exception {
        server = S3Server.start(bucket);
        proxy = new FaultyProxy(
                server.port(),
                (number, line) -> number % ONE_IN == 0 ? FAULTS.get(number / ONE_IN % FAULTS.size()) : Fault.none());
    }

    @AfterAll
    static void stopServer() throws Exception {
        assertThat(proxy.requests()).isGreaterThan(100 * ONE_IN);
        proxy.close();
        server.close();
    }

    @Override
    protected BackupTarget target() {
        targets++;
        Map<String, String> credentials = server.credentials();
        credentials.put("AWS_ENDPOINTS", proxy.endpoint());
        return BackupTarget.at(URI.create("s3://" + S3Server.BUCKET + "/target-" + targets + "/"), credentials);
    }
}
