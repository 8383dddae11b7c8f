package io.longhorn.replica.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.longhorn.DiskLockedException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PathDirectoryTest extends DiskDirectoryContract {
    @TempDir
    Path temporary;

    private PathDirectory disk;

    @Override
    protected DiskDirectory disk() {
        return disk;
    }

    @BeforeEach
    void open() throws IOException {
        disk = PathDirectory.open(temporary.resolve("disk"));
    }

    @AfterEach
    void close() throws IOException {
        // A test that interrupts its own thread must not hand that on to the next one.
        Thread.interrupted();
        disk.close();
    }

    @Test
    void aDiskIsUsedByOneAtATime() throws IOException {
        assertThatExceptionOfType(DiskLockedException.class)
                .isThrownBy(() -> PathDirectory.open(temporary.resolve("disk")));
        disk.close();
        disk = PathDirectory.open(temporary.resolve("disk"));
    }

    @Test
    void anotherProcessFindsTheDiskLocked() throws IOException, InterruptedException {
        Process other = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        OpenOnce.class.getName(),
                        temporary.resolve("disk").toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(other.waitFor()).as(output).isEqualTo(OpenOnce.LOCKED);
    }

    /** The other process. */
    static final class OpenOnce {
        static final int LOCKED = 7;

        private OpenOnce() {}

        public static void main(String[] args) throws IOException {
            try (PathDirectory open = PathDirectory.open(Path.of(args[0]))) {
                open.describe();
            } catch (DiskLockedException e) {
                System.exit(LOCKED);
            }
        }
    }

    @Test
    void theLockIsNoFileOfTheDisk() throws IOException {
        assertThat(Files.exists(temporary.resolve("disk/lock"))).isTrue();
        assertThat(disk.list("")).isEmpty();
        assertThatIllegalArgumentException().isThrownBy(() -> disk.open("lock", false));
        assertThatIllegalArgumentException().isThrownBy(() -> disk.delete("lock"));
    }

    @Test
    void anInterruptedCallerGetsItsAnswerAndKeepsItsInterruption() throws IOException {
        try (DiskFile file = disk.open("f", true)) {
            Thread.currentThread().interrupt();
            write(file, 0, "written");
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
            file.sync();
            file.preallocate(100, 5000);
            assertThat(file.sizeBytes()).isEqualTo(5100);
            file.truncate(7);
            file.truncate(9);
            disk.syncDirectory("");
            assertThat(read(file, 0, 7)).isEqualTo("written");
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void interruptionsInTheMiddleOfTransfersHurtNobody() throws Exception {
        int length = 1 << 20;
        try (DiskFile file = disk.open("f", true)) {
            AtomicBoolean stop = new AtomicBoolean();
            AtomicReference<Throwable> failure = new AtomicReference<>();
            Thread victim = worker(file, 0, length, stop, failure);
            Thread neighbour = worker(file, length, length, stop, failure);
            victim.start();
            neighbour.start();
            for (int i = 0; i < 300 && failure.get() == null; i++) {
                victim.interrupt();
                // Work between two interruptions, so that they meet the transfers at different points.
                file.sync();
                read(file, 0, 1 + i * 100);
            }
            stop.set(true);
            victim.join();
            neighbour.join();
            assertThat(failure.get()).isNull();
            assertThat(file.sizeBytes()).isEqualTo(2L * length);
        }
    }

    /** Writes and reads its own part of the file until it is told to stop. */
    private static Thread worker(
            DiskFile file, long position, int length, AtomicBoolean stop, AtomicReference<Throwable> failure) {
        return new Thread(() -> {
            ByteBuffer written = ByteBuffer.allocateDirect(length);
            ByteBuffer read = ByteBuffer.allocateDirect(length);
            try {
                for (long round = 0; !stop.get(); round++) {
                    for (int at = 0; at < length; at += 4096) {
                        written.putLong(at, round + at);
                    }
                    file.write(position, written.clear());
                    file.read(position, read.clear());
                    if (written.clear().mismatch(read.clear()) >= 0) {
                        throw new IllegalStateException("read something else in round " + round);
                    }
                }
            } catch (IOException | RuntimeException e) {
                failure.set(e);
            }
        });
    }

    @Test
    void aFileThatWasRenamedIsFoundAgainAfterAnInterruption() throws Exception {
        disk.createDirectories("d");
        create("d/other", "other");
        try (DiskFile file = disk.open("d/f", true)) {
            write(file, 0, "mine");
            disk.rename("d", "e");
            disk.rename("e/f", "e/g");
            disk.rename("e/other", "e/f");
            closeByInterruption(file);
            assertThat(read(file, 0, 4)).isEqualTo("mine");
            file.sync();
            file.punch(4096, 4096);
        }
        assertThat(content("e/f")).isEqualTo("other");
    }

    @Test
    void anotherFileUnderTheSameNameIsNotTakenForIt() throws Exception {
        try (DiskFile file = disk.open("f", true)) {
            write(file, 0, "mine");
            Files.move(temporary.resolve("disk/f"), temporary.resolve("disk/aside"));
            Files.writeString(temporary.resolve("disk/f"), "theirs");
            closeByInterruption(file);
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> write(file, 0, "overwritten"))
                    .withMessageContaining("another file");
            assertThatExceptionOfType(IOException.class).isThrownBy(file::sync);
        }
        assertThat(content("f")).isEqualTo("theirs");
    }

    /** Leaves the file as an interruption inside a transfer would, without depending on when it comes. */
    private static void closeByInterruption(DiskFile file) throws Exception {
        Field field = PathFile.class.getDeclaredField("channel");
        field.setAccessible(true);
        ((FileChannel) field.get(file)).close();
    }

    @Test
    void punchedSpaceGoesBackToTheDisk() throws IOException {
        assumeTrue(NativeAccess.available().isPresent(), "needs 64-bit Linux and JNA");
        try (DiskFile file = disk.open("f", true)) {
            file.preallocate(0, 1 << 20);
            file.sync();
            long before = file.allocatedBytes();
            assertThat(before).isGreaterThanOrEqualTo(1 << 20);
            assumeTrue(file.punch(0, 1 << 19), "needs a file system with holes");
            assertThat(file.allocatedBytes()).isLessThanOrEqualTo(before - (1 << 19));
            assertThat(file.sizeBytes()).isEqualTo(1 << 20);
        }
    }

    @Test
    void aSparseFileTakesOnlyWhatWasWritten() throws IOException {
        assumeTrue(NativeAccess.available().isPresent(), "needs 64-bit Linux and JNA");
        try (DiskFile file = disk.open("f", true)) {
            write(file, 1L << 32, "far out");
            file.sync();
            assertThat(file.sizeBytes()).isEqualTo((1L << 32) + 7);
            file.truncate(1L << 40);
            assertThat(file.allocatedBytes()).isLessThan(1 << 20);
        }
    }

    @Test
    void workOfAnotherThreadBringsItsFailureBack() {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> DiskThread.call(() -> {
                    throw new InterruptedIOException("broken");
                }))
                .withMessage("broken")
                .withCauseInstanceOf(InterruptedIOException.class);
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> DiskThread.call(() -> {
                    throw new IllegalStateException("wrong");
                }))
                .withMessageContaining("wrong");
    }

    @Test
    void aDiskThreadRunsWorkItselfAndCannotBeInterrupted() throws Exception {
        AtomicReference<Thread> ranOn = new AtomicReference<>();
        AtomicBoolean interrupted = new AtomicBoolean();
        DiskThread thread = new DiskThread(
                () -> {
                    Thread.currentThread().interrupt();
                    interrupted.set(Thread.currentThread().isInterrupted());
                    try {
                        DiskThread.call(() -> ranOn.set(Thread.currentThread()));
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                },
                "test");
        thread.start();
        thread.join();
        assertThat(ranOn.get()).isSameAs(thread);
        assertThat(interrupted).isFalse();
    }
}
