package io.longhorn.app.bench;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What some processes do: the processor time that they have used, as Linux counts it, in steps of 10 ms, so only long runs tell; and whether they wait for a disk. */
final class CpuMeter {

    /** What Linux shows to programs has been 100 per second on all machines that Java runs on. */
    private static final long NANOS_PER_TICK = 10_000_000;

    /** Counted behind the closing parenthesis of the program's name, which may hold anything. */
    private static final int USER_FIELD = 11;

    private static final int SYSTEM_FIELD = 12;
    private static final char DISK_WAIT = 'D';

    private final List<Long> pids;

    private CpuMeter(List<Long> pids) {
        this.pids = pids;
    }

    /** Of this process and of these others. */
    static CpuMeter ofSelfAnd(List<Long> others) {
        List<Long> pids = new ArrayList<>(others);
        pids.add(ProcessHandle.current().pid());
        return new CpuMeter(pids);
    }

    /** Of these processes alone. */
    static CpuMeter of(List<Long> pids) {
        return new CpuMeter(List.copyOf(pids));
    }

    /** The sum since each of them started; -1 where the system does not tell. */
    long nanos() throws IOException {
        long ticks = 0;
        for (long pid : pids) {
            Path file = Path.of("/proc", Long.toString(pid), "stat");
            if (!Files.isReadable(file)) {
                return -1;
            }
            ticks += ticks(Files.readString(file));
        }
        return ticks * NANOS_PER_TICK;
    }

    /** Whether a thread of theirs waits for a disk at this moment, as far as the system tells. */
    boolean isAnyWaitingForDisk() throws IOException {
        for (long pid : pids) {
            Path threads = Path.of("/proc", Long.toString(pid), "task");
            if (Files.isDirectory(threads) && isAnyWaitingForDisk(threads)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isAnyWaitingForDisk(Path threads) throws IOException {
        try (DirectoryStream<Path> each = Files.newDirectoryStream(threads)) {
            for (Path thread : each) {
                if (isWaitingForDisk(Files.readString(thread.resolve("stat")))) {
                    return true;
                }
            }
            return false;
        } catch (NoSuchFileException e) {
            // A thread that has ended meanwhile: look again, it may not have been the last.
            return true;
        }
    }

    /**
     * Whether a thread is in the state that only waiting for a disk puts it in.
     *
     * @param stat the text of /proc/PID/task/TID/stat
     */
    static boolean isWaitingForDisk(String stat) {
        return stat.charAt(stat.lastIndexOf(')') + 2) == DISK_WAIT;
    }

    /**
     * The ticks of one process.
     *
     * @param stat the text of /proc/PID/stat, see proc(5)
     */
    static long ticks(String stat) {
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return Long.parseLong(fields[USER_FIELD]) + Long.parseLong(fields[SYSTEM_FIELD]);
    }
}
