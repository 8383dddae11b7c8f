package io.longhorn.app.bench;

import io.longhorn.app.CommandFailure;
import io.longhorn.app.ExternalTool;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Programs that others wrote to use block devices, and what they measure. Used by one thread. */
final class ClientTools {
    private static final Duration LIMIT = Duration.ofMinutes(3);
    /** Fields of fio's terse output, version 3, from 0. */
    private static final int READ_IOPS = 7;

    private static final int READ_MEAN_MICROS = 39;
    private static final int WRITE_IOPS = 48;
    private static final int WRITE_MEAN_MICROS = 80;

    private static final Pattern QEMU_SECONDS = Pattern.compile("Run completed in ([0-9.]+) seconds");
    private static final Pattern ISCSI_IOPS = Pattern.compile("iops average (\\d+)");

    private final Path scratch;

    ClientTools(Path scratch) {
        this.scratch = scratch;
    }

    /**
     * What fio found.
     *
     * @param iops operations a second
     * @param meanMicros mean latency
     */
    record Rate(double iops, double meanMicros) {}

    /** 4 KiB at random offsets of an NBD export. */
    Rate nbd(String uri, boolean write, int depth, Duration duration) throws InterruptedException {
        return fio(write, depth, duration, "--ioengine=nbd", "--uri=" + uri);
    }

    /** 4 KiB at random offsets of a block device, past the page cache. */
    Rate device(Path device, boolean write, int depth, Duration duration) throws InterruptedException {
        return fio(write, depth, duration, "--ioengine=libaio", "--direct=1", "--filename=" + device);
    }

    private Rate fio(boolean write, int depth, Duration duration, String... where) throws InterruptedException {
        String[] arguments = new String[where.length + 9];
        System.arraycopy(where, 0, arguments, 0, where.length);
        int at = where.length;
        arguments[at++] = "--name=bench";
        arguments[at++] = write ? "--rw=randwrite" : "--rw=randread";
        // Blocks may come twice, as in the library's own loads.
        arguments[at++] = "--norandommap";
        arguments[at++] = "--bs=4k";
        arguments[at++] = "--iodepth=" + depth;
        arguments[at++] = "--time_based";
        arguments[at++] = "--runtime=" + Math.max(1, duration.toSeconds());
        arguments[at++] = "--output-format=terse";
        arguments[at] = "--terse-version=3";
        String said = run("fio", "fio", arguments);
        String[] fields = said.substring(said.lastIndexOf("\n3;") + 1).split(";", -1);
        if (fields.length <= WRITE_MEAN_MICROS) {
            throw new CommandFailure("fio said something else than expected: " + said);
        }
        return write
                ? new Rate(Double.parseDouble(fields[WRITE_IOPS]), Double.parseDouble(fields[WRITE_MEAN_MICROS]))
                : new Rate(Double.parseDouble(fields[READ_IOPS]), Double.parseDouble(fields[READ_MEAN_MICROS]));
    }

    /** Copies and returns how long it took, in seconds. */
    double nbdcopySeconds(String from, String to) throws InterruptedException {
        long begin = System.nanoTime();
        String unused = run("nbdcopy", "libnbd-bin", from, to);
        return (System.nanoTime() - begin) / 1e9;
    }

    /** Writes of 4 KiB a second, 32 in flight, by QEMU's client for whatever the URL says. */
    double qemuWrites(String url, int count, long stepBytes) throws InterruptedException {
        String said = run(
                "qemu-img",
                "qemu-utils qemu-block-extra",
                "bench",
                "-w",
                "-f",
                "raw",
                "-t",
                "none",
                "-d",
                "32",
                "-s",
                "4096",
                "-S",
                Long.toString(stepBytes),
                "-c",
                Integer.toString(count),
                url);
        return count / number(QEMU_SECONDS, said);
    }

    /** Random reads of 4 KiB a second, 32 in flight, by libiscsi's client. */
    double iscsiReads(String url, int blocksPerRead, Duration duration) throws InterruptedException {
        String said = run(
                "iscsi-perf",
                "libiscsi-bin",
                "-r",
                "-m",
                "32",
                "-b",
                Integer.toString(blocksPerRead),
                "-t",
                Long.toString(Math.max(1, duration.toSeconds())),
                url);
        return number(ISCSI_IOPS, said);
    }

    private static double number(Pattern pattern, String said) {
        Matcher matcher = pattern.matcher(said);
        double last = Double.NaN;
        while (matcher.find()) {
            last = Double.parseDouble(matcher.group(1));
        }
        if (Double.isNaN(last)) {
            throw new CommandFailure("no figure in what a client said: " + said);
        }
        return last;
    }

    private String run(String tool, String debianPackage, String... arguments) throws InterruptedException {
        ExternalTool.Result result = ExternalTool.require(tool, debianPackage).run(scratch, LIMIT, arguments);
        if (result.exitCode() != 0) {
            throw new CommandFailure(tool + " ended with " + result.exitCode() + ": " + result.output());
        }
        return result.output();
    }
}
