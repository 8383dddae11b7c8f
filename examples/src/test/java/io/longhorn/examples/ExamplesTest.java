package io.longhorn.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the examples as their users do. */
class ExamplesTest {

    @TempDir
    private Path directory;

    @Test
    void quickstartRunsOnceAndAgain() throws Exception {
        String[] arguments = {directory.resolve("data").toString()};
        assertThat(output(() -> Quickstart.main(arguments))).contains("the volume holds: the right order");
        assertThat(output(() -> Quickstart.main(arguments))).contains("the volume holds: the right order");
    }

    @Test
    void remoteReplicasEndsHealthy() throws Exception {
        String[] arguments = {directory.toString()};
        assertThat(output(() -> RemoteReplicas.main(arguments))).contains("state=HEALTHY");
    }

    @Test
    void backupsAreIncrementalAndRestored() throws Exception {
        String[] arguments = {
            directory.resolve("data").toString(), directory.resolve("backups").toString()
        };
        assertThat(output(() -> Backups.main(arguments))).contains("restored order 2; the second backup brought");
    }

    private interface Example {
        void run() throws Exception;
    }

    private static String output(Example example) throws Exception {
        PrintStream before = System.out;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            example.run();
        } finally {
            System.setOut(before);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
