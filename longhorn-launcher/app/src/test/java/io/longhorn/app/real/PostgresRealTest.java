package io.longhorn.app.real;

import static io.longhorn.app.real.Shell.sh;
import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.app.DaemonCommands;
import io.longhorn.app.DaemonProcess;
import io.longhorn.app.ReplicaServers;
import io.longhorn.app.Waiting;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * PostgreSQL on ext4, on a device of the kernel, which a daemon serves from a volume with three replicas in three processes. Needs root.
 */
@Tag("real")
@Timeout(180)
class PostgresRealTest {

    private static final String VOLUME = "ledger-" + ProcessHandle.current().pid();
    private static final Path DEVICE = Path.of("/dev/longhorn", VOLUME);
    private static final int REPLICAS = 3;
    private static final Duration REPLICA_LIMIT = Duration.ofSeconds(40);
    private static final Duration UNMOUNT_LIMIT = Duration.ofSeconds(20);

    /** Enough that every table, its indexes and the log were written meanwhile. */
    private static final int SOME_TRANSACTIONS = 200;

    private static final int RUN_SECONDS = 6;

    @TempDir
    private Path directory;

    private Path mount;
    private ReplicaServers replicas;
    private DaemonProcess daemon;
    private DaemonCommands commands;
    private PostgresServer postgres;
    private Transfers transfers;

    @BeforeEach
    void start() throws Exception {
        // The database's own user must get through.
        sh("chmod 711 " + directory);
        mount = Files.createDirectory(directory.resolve("mnt"));
        replicas = ReplicaServers.start(directory, REPLICAS);
        startDaemon();
        commands.done("volume", "create", VOLUME, "--size", "2GiB", "--replicas", String.valueOf(REPLICAS));
        assertThat(commands.done("volume", "attach", VOLUME, "--frontend", "device"))
                .isEqualTo(DEVICE.toString());
        sh("mkfs.ext4 -q " + DEVICE);
        mount();
        postgres = new PostgresServer(mount.resolve("data"), Files.createDirectory(directory.resolve("pg")));
        postgres.initialize();
        postgres.start();
        transfers = new Transfers(postgres, directory.resolve("pg"));
    }

    private void startDaemon() throws Exception {
        String[] servers = IntStream.range(0, REPLICAS)
                .boxed()
                .flatMap(server -> Stream.of("--replica-server", replicas.address(server)))
                .toArray(String[]::new);
        daemon = DaemonProcess.start(directory.resolve("daemon"), directory.resolve("daemon.log"), servers);
        commands = new DaemonCommands(daemon);
    }

    private void mount() throws Exception {
        sh("mount " + DEVICE + " " + mount);
    }

    @AfterEach
    void stop() throws Exception {
        if (postgres != null) {
            postgres.kill();
        }
        // Its children end a moment after it.
        boolean unmounted = Waiting.until(
                UNMOUNT_LIMIT,
                () -> !Files.readString(Path.of("/proc/mounts")).contains(" " + mount + " ")
                        || Shell.tryRun("umount " + mount).exitCode() == 0);
        if (daemon != null) {
            daemon.stop();
        }
        if (replicas != null) {
            replicas.close();
        }
        assertThat(unmounted).isTrue();
        assertThat(Files.exists(DEVICE, LinkOption.NOFOLLOW_LINKS)).isFalse();
    }

    @Test
    void noTransactionFailsWhileReplicasDieAndReturn() throws Exception {
        for (int server = 0; server < REPLICAS; server++) {
            Transfers.Run run = transfers.start(RUN_SECONDS);
            run.awaitTransactions(SOME_TRANSACTIONS);
            replicas.kill(server);
            awaitReplicas(REPLICAS - 1);
            run.awaitTransactions(SOME_TRANSACTIONS);
            replicas.restart(server);
            awaitReplicas(REPLICAS);
            run.awaitSuccess();
        }
        transfers.check(0);
        postgres.stop();
        sh("umount " + mount + " && e2fsck -fn " + DEVICE);
        commands.done("volume", "detach", VOLUME);
    }

    private void awaitReplicas(int inSync) throws Exception {
        assertThat(Waiting.until(
                        REPLICA_LIMIT,
                        () -> commands.replicaStates(VOLUME).stream()
                                        .filter("in-sync"::equals)
                                        .count()
                                == inSync))
                .as("%d replicas in sync, now %s", inSync, commands.replicaStates(VOLUME))
                .isTrue();
    }

    @Test
    void whatWasConfirmedIsThereAfterTheDaemonWasKilled() throws Exception {
        for (int crash = 1; crash <= 2; crash++) {
            Transfers.Run run = transfers.start(RUN_SECONDS);
            run.awaitTransactions(SOME_TRANSACTIONS);
            daemon.kill();
            run.awaitFailure();
            postgres.awaitEnd();
            sh("umount " + mount);
            startDaemon();
            assertThat(commands.volume(VOLUME)).containsEntry("endpoint", DEVICE.toString());
            // 1: it has replayed the journal, and mended what that told.
            assertThat(Shell.tryRun("fsck.ext4 -p " + DEVICE).exitCode()).isLessThanOrEqualTo(1);
            mount();
            postgres.start();
            transfers.check(crash);
        }
        assertThat(transfers.confirmed()).isGreaterThan(SOME_TRANSACTIONS);
        postgres.stop();
        sh("umount " + mount + " && e2fsck -fn " + DEVICE);
        commands.done("volume", "detach", VOLUME);
    }
}
