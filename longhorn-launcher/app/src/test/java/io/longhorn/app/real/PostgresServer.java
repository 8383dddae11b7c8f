package io.longhorn.app.real;

import static io.longhorn.app.real.Shell.sh;
import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.app.Waiting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * PostgreSQL with its data in one directory. It listens on a Unix socket only, and runs as the user that Debian's package makes for it, because it refuses to be root.
 */
final class PostgresServer {

    private static final Path VERSIONS = Path.of("/usr/lib/postgresql");
    private static final Duration START_LIMIT = Duration.ofSeconds(50);
    private static final long END_SECONDS = 40;

    /** Little memory and short logs, so that it reads and writes its files all the time. Once it has lost its disk it ends instead of trying again. */
    private static final String SETTINGS =
            "-c listen_addresses= -c shared_buffers=16MB -c max_wal_size=48MB -c restart_after_crash=off";

    private final Path programs;
    private final Path data;
    private final Path outside;
    private final Path log;
    private @Nullable Process process;

    /**
     * @param data where its data goes; its parent must exist
     * @param outside an empty directory on another file system, for its socket and what it prints
     */
    PostgresServer(Path data, Path outside) throws Exception {
        this.programs = newestPrograms();
        this.data = data;
        this.outside = outside;
        log = outside.resolve("log");
        sh("chown postgres: " + outside);
    }

    private static Path newestPrograms() throws IOException {
        try (Stream<Path> versions = Files.list(VERSIONS)) {
            return versions.max(Comparator.comparingInt(
                            version -> Integer.parseInt(version.getFileName().toString())))
                    .orElseThrow()
                    .resolve("bin");
        }
    }

    /** A script that runs one of PostgreSQL's programs, without a process between. */
    private String program(String name) {
        return "cd " + outside + "; export PGHOST=" + outside + " PGUSER=postgres PGDATABASE=postgres"
                + " PGOPTIONS='-c client_min_messages=warning'; exec setpriv --reuid=postgres --regid=postgres --init-groups "
                + programs.resolve(name) + " ";
    }

    /** Makes an empty database whose pages carry checksums. */
    void initialize() throws Exception {
        sh("mkdir " + data + " && chown postgres: " + data);
        sh(program("initdb") + "-D " + data + " -A trust -U postgres --data-checksums --no-locale -E UTF8");
    }

    /** Starts it and returns when it answers; what a crash left is recovered first. */
    void start() throws Exception {
        Process started = Shell.start(program("postgres") + "-D " + data + " -k " + outside + " " + SETTINGS, log);
        process = started;
        Waiting.until(
                START_LIMIT,
                () -> !started.isAlive()
                        || Shell.tryRun(program("pg_isready") + "-q").exitCode() == 0);
        assertThat(started.isAlive()).as(Files.readString(log)).isTrue();
    }

    /** Stops it in order. */
    void stop() throws Exception {
        sh("kill -INT " + running().pid());
        awaitEnd();
        assertThat(running().exitValue()).as(Files.readString(log)).isZero();
    }

    /** Waits until it has ended by itself. */
    void awaitEnd() throws Exception {
        assertThat(running().waitFor(END_SECONDS, TimeUnit.SECONDS))
                .as(Files.readString(log))
                .isTrue();
    }

    private Process running() {
        if (process == null) {
            throw new IllegalStateException("not started");
        }
        return process;
    }

    /** Ends it whatever state it is in. */
    void kill() throws InterruptedException {
        if (process != null) {
            process.destroyForcibly().waitFor();
        }
    }

    /** The rows of a query's answer, a line each. */
    String query(String sql) throws Exception {
        return sh(program("psql") + "-X -A -t -v ON_ERROR_STOP=1 -c \"" + sql + "\"");
    }

    /** Fills the tables of pgbench. */
    void fill(int scale) throws Exception {
        sh(program("pgbench") + "-i -q -s " + scale);
    }

    /** Starts a run of pgbench beside the test. */
    Process bench(String options, Path output) throws IOException {
        return Shell.start(program("pgbench") + options, output);
    }

    /** Fails unless every table and index of every database is sound. */
    void check() throws Exception {
        assertThat(sh(program("pg_amcheck") + "--all --install-missing --heapallindexed --parent-check"))
                .isEmpty();
    }
}
