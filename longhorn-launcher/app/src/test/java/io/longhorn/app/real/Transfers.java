package io.longhorn.app.real;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.app.Waiting;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Money that pgbench moves, as TPC-B does: each transaction adds an amount to an account, a teller and a branch, and notes it in the history, here with a mark that tells run,
 * client and number. pgbench logs what was confirmed to it outside of the database, so afterwards both can be compared.
 */
final class Transfers {

    private static final int SCALE = 5;
    private static final int CLIENTS = 4;
    private static final Duration PROGRESS_LIMIT = Duration.ofSeconds(40);
    private static final long END_SECONDS = 90;

    private static final List<String> TRANSFER = List.of(
            "\\set n :n + 1",
            "\\set aid random(1, 100000 * :scale)",
            "\\set bid random(1, 1 * :scale)",
            "\\set tid random(1, 10 * :scale)",
            "\\set delta random(-5000, 5000)",
            "BEGIN;",
            "UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;",
            "UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;",
            "UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid;",
            "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime, filler) VALUES (:tid, :bid, :aid, :delta,"
                    + " CURRENT_TIMESTAMP, concat(:run, '-', :client_id, '-', :n));",
            "END;");

    private final PostgresServer server;
    private final Path directory;
    private final Path script;

    /** Per run and client, how many transactions were confirmed. */
    private final Map<String, Integer> confirmed = new TreeMap<>();

    private int runs;

    /** @param directory takes what pgbench logs; on a disk that survives */
    Transfers(PostgresServer server, Path directory) throws Exception {
        this.server = server;
        this.directory = directory;
        script = Files.write(directory.resolve("transfer.sql"), TRANSFER);
        server.fill(SCALE);
    }

    /** A run of pgbench that goes on beside the test. */
    final class Run {
        private final int number;
        private final Path output;
        private final Process process;

        private Run(int number, int seconds) throws IOException {
            this.number = number;
            output = directory.resolve("run-" + number + ".out");
            process = server.bench(
                    "-n -c " + CLIENTS + " -j 1 -T " + seconds + " -s " + SCALE + " -f " + script + " -D run=" + number
                            + " -D n=0 -l --log-prefix=" + logPrefix(),
                    output);
        }

        private String logPrefix() {
            return "confirmed-" + number + "-";
        }

        /** Returns when it has done this many transactions more. */
        void awaitTransactions(int count) throws Exception {
            long wanted = noted() + count;
            Waiting.until(PROGRESS_LIMIT, () -> noted() >= wanted || !process.isAlive());
            assertThat(process.isAlive()).as(Files.readString(output)).isTrue();
            assertThat(noted()).isGreaterThanOrEqualTo(wanted);
        }

        /** Waits for its end, without a single failed transaction. */
        void awaitSuccess() throws Exception {
            awaitEnd();
            assertThat(process.exitValue()).as(Files.readString(output)).isZero();
        }

        /** Waits for its end, which came because the server was gone. */
        void awaitFailure() throws Exception {
            awaitEnd();
            assertThat(process.exitValue()).as(Files.readString(output)).isNotZero();
        }

        private void awaitEnd() throws Exception {
            boolean ended = process.waitFor(END_SECONDS, TimeUnit.SECONDS);
            process.destroyForcibly();
            assertThat(ended).as(Files.readString(output)).isTrue();
            try (DirectoryStream<Path> logs = Files.newDirectoryStream(directory, logPrefix() + "*")) {
                for (Path log : logs) {
                    Files.readAllLines(log)
                            .forEach(line -> confirmed.merge(number + "-" + line.split(" ", -1)[0], 1, Integer::sum));
                }
            }
        }
    }

    Run start(int seconds) throws IOException {
        runs++;
        return new Run(runs, seconds);
    }

    private long noted() throws Exception {
        return Long.parseLong(server.query("SELECT count(*) FROM pgbench_history"));
    }

    /** How many transactions were confirmed in all runs that ended. */
    int confirmed() {
        return confirmed.values().stream().mapToInt(Integer::intValue).sum();
    }

    /**
     * Fails unless all that was confirmed is there, nothing is there by half, and all totals are the same.
     *
     * @param crashes how often the server went down under load: each client may have one transaction then that is done without being confirmed
     */
    void check(int crashes) throws Exception {
        server.check();
        assertThat(noted()).isBetween((long) confirmed(), confirmed() + (long) crashes * CLIENTS);
        assertThat(missing()).isEmpty();
        assertThat(List.of(server.query(totals()).split("\n", -1))).hasSize(4).containsOnly(total());
        for (String kind : List.of("account", "teller", "branch")) {
            assertThat(server.query(wrongBalances(kind))).as(kind).isEqualTo("0");
        }
    }

    /** The transactions that were confirmed and are not in the history, or more than once. */
    private String missing() throws Exception {
        List<String> rows = new ArrayList<>();
        confirmed.forEach((client, count) -> rows.add("('" + client + "', " + count + ")"));
        return server.query("WITH confirmed (client, count) AS (VALUES " + String.join(", ", rows) + ")"
                + " SELECT client || '-' || n, count(h.tid) FROM confirmed CROSS JOIN generate_series(1, count) AS n"
                + " LEFT JOIN pgbench_history h ON rtrim(h.filler) = client || '-' || n"
                + " GROUP BY client, n HAVING count(h.tid) <> 1");
    }

    private static String totals() {
        return List.of(
                        "abalance) FROM pgbench_accounts",
                        "tbalance) FROM pgbench_tellers",
                        "bbalance) FROM pgbench_branches",
                        "delta) FROM pgbench_history")
                .stream()
                .map(sum -> "SELECT sum(" + sum)
                .collect(Collectors.joining(" UNION ALL "));
    }

    private String total() throws Exception {
        return server.query("SELECT sum(delta) FROM pgbench_history");
    }

    private static String wrongBalances(String kind) {
        String id = kind.charAt(0) + "id";
        String balance = kind.charAt(0) + "balance";
        String table = "pgbench_" + (kind.equals("branch") ? "branches" : kind + "s");
        return "SELECT count(*) FROM " + table + " LEFT JOIN (SELECT " + id
                + ", sum(delta) AS moved FROM pgbench_history GROUP BY " + id + ") AS h USING (" + id + ") WHERE "
                + balance + " <> coalesce(moved, 0)";
    }
}
