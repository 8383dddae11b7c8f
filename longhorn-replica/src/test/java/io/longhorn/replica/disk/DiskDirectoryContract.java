package io.longhorn.replica.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What every {@link DiskDirectory} does, without faults: run by the real one and by the simulator's. */
public abstract class DiskDirectoryContract {

    /** The same empty disk at every call within one test. */
    protected abstract DiskDirectory disk() throws IOException;

    /** Cached and uncached writes of neighbouring ranges, as when a rebuild and a checkpoint meet in one file. */
    @Test
    void whatIsWrittenPastTheCacheIsReadBack() throws IOException {
        int block = DiskFile.ALIGNMENT_BYTES;
        ByteBuffer aligned = ByteBuffer.allocateDirect(64 * block + block)
                .alignedSlice(block)
                .limit(64 * block);
        while (aligned.hasRemaining()) {
            aligned.putInt(aligned.position() * 31 + 7);
        }
        try (DiskFile file = disk().open("f", true)) {
            file.truncate(1 << 20);
            file.write(8L * block, aligned.duplicate().position(32 * block).limit(33 * block));
            file.writePastCache(0, aligned.duplicate().position(0).limit(64 * block));
            file.write(3L * block, aligned.duplicate().position(40 * block).limit(41 * block));
            file.writePastCache(70L * block, aligned.duplicate().position(block).limit(block + 100));
            ByteBuffer odd = aligned.duplicate().position(100).limit(block + 100);
            file.writePastCache(80L * block, odd);
            assertThat(odd.hasRemaining()).isFalse();
            file.startWriting(0, 1 << 20);
            file.sync();

            ByteBuffer found = ByteBuffer.allocate(64 * block);
            file.read(0, found);
            ByteBuffer expected = ByteBuffer.allocate(64 * block)
                    .put(aligned.duplicate().position(0).limit(64 * block))
                    .put(3 * block, aligned, 40 * block, block);
            assertThat(found.flip()).isEqualTo(expected.flip());
            ByteBuffer rest = ByteBuffer.allocate(100);
            file.read(70L * block, rest);
            assertThat(rest.flip())
                    .isEqualTo(aligned.duplicate().position(block).limit(block + 100));
            ByteBuffer shifted = ByteBuffer.allocate(block);
            file.read(80L * block, shifted);
            assertThat(shifted.flip())
                    .isEqualTo(aligned.duplicate().position(100).limit(block + 100));
        }
    }

    @Test
    void anEmptyDiskListsNothing() throws IOException {
        assertThat(disk().list("")).isEmpty();
        assertThat(disk().list("nowhere/at/all")).isEmpty();
        assertThat(disk().exists("nothing")).isFalse();
        assertThat(disk().usableBytes()).isPositive();
        assertThat(disk().describe()).isNotEmpty();
    }

    @Test
    void namesAreListedSortedWithoutTheirPath() throws IOException {
        disk().createDirectories("a/b");
        for (String name : List.of("a/z", "a/b/deep", "a/c", "top")) {
            create(name, "");
        }
        assertThat(disk().list("")).containsExactly("a", "top");
        assertThat(disk().list("a")).containsExactly("b", "c", "z");
        assertThat(disk().list("a/b")).containsExactly("deep");
        assertThat(disk().list("top")).isEmpty();
        assertThat(disk().exists("a/b")).isTrue();
        assertThat(disk().exists("a/b/deep")).isTrue();
        disk().createDirectories("a/b");
        assertThat(disk().list("a/b")).containsExactly("deep");
    }

    @Test
    void aFileIsMadeOnceAndOpenedOnlyIfItExists() throws IOException {
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> disk().open("f", false));
        create("f", "one");
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> disk().open("f", true));
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> disk().open("missing/f", true));
        assertThat(content("f")).isEqualTo("one");
    }

    @Test
    void aNewFileIsEmpty() throws IOException {
        try (DiskFile file = disk().open("f", true)) {
            assertThat(file.sizeBytes()).isZero();
            assertThat(read(file, 0, 3)).isEqualTo("\0\0\0");
        }
    }

    @Test
    void bytesAreReadWhereTheyWereWrittenAndZeroesAroundThem() throws IOException {
        try (DiskFile file = disk().open("f", true)) {
            write(file, 10_000, "there");
            write(file, 5, "here");
            assertThat(read(file, 3, 8)).isEqualTo("\0\0here\0\0");
            assertThat(read(file, 9_998, 9)).isEqualTo("\0\0there\0\0");
            assertThat(read(file, 20_000, 21)).isEqualTo("\0".repeat(21));
            assertThat(file.sizeBytes()).isEqualTo(10_005);
            write(file, 6, "uge");
            assertThat(read(file, 5, 4)).isEqualTo("huge");
        }
    }

    @Test
    void bytesAreCopiedToAnotherFileAlsoWhenTheyWereWrittenAfterACopy() throws IOException {
        try (DiskFile source = disk().open("source", true);
                DiskFile target = disk().open("target", true)) {
            write(source, 5_000, "early");
            source.copyTo(5_000, 5, target, 3);
            write(source, 5_002, "RL");
            source.copyTo(5_000, 5, target, 10_000);
            assertThat(read(target, 0, 9)).isEqualTo("\0\0\0early\0");
            assertThat(read(target, 9_999, 7)).isEqualTo("\0eaRLy\0");
            write(source, 20_000, "grown");
            source.copyTo(20_001, 4, target, 0);
            assertThat(read(target, 0, 4)).isEqualTo("rown");
            assertThat(read(source, 5_000, 5)).isEqualTo("eaRLy");
        }
    }

    @Test
    void buffersAreUsedBetweenPositionAndLimit() throws IOException {
        try (DiskFile file = disk().open("f", true)) {
            ByteBuffer source = utf8("abcdefgh");
            source.position(2).limit(5);
            file.write(0, source);
            assertThat(source.hasRemaining()).isFalse();
            assertThat(file.sizeBytes()).isEqualTo(3);
            ByteBuffer target = ByteBuffer.allocateDirect(6);
            target.put((byte) 'x').limit(5);
            file.read(1, target);
            assertThat(target.hasRemaining()).isFalse();
            byte[] bytes = new byte[6];
            target.clear().get(bytes);
            assertThat(new String(bytes, StandardCharsets.UTF_8)).isEqualTo("xde\0\0\0");
        }
    }

    @Test
    void twoOpeningsOfAFileSeeEachOther() throws IOException {
        try (DiskFile first = disk().open("f", true);
                DiskFile second = disk().open("f", false)) {
            write(first, 0, "first");
            assertThat(read(second, 0, 5)).isEqualTo("first");
            write(second, 5, "second");
            assertThat(read(first, 0, 11)).isEqualTo("firstsecond");
            assertThat(first.sizeBytes()).isEqualTo(11);
        }
        assertThat(content("f")).isEqualTo("firstsecond");
    }

    @Test
    void aSyncedFileReadsAsBefore() throws IOException {
        try (DiskFile file = disk().open("f", true)) {
            write(file, 0, "abc");
            file.sync();
            write(file, 3, "def");
            file.sync();
            file.sync();
            assertThat(read(file, 0, 6)).isEqualTo("abcdef");
        }
        disk().syncDirectory("");
        assertThat(content("f")).isEqualTo("abcdef");
    }

    @Test
    void renamingReplacesAndLeavesOpenFilesUsable() throws IOException {
        disk().createDirectories("d");
        create("old", "old content");
        try (DiskFile file = disk().open("new", true)) {
            write(file, 0, "new content");
            file.sync();
            disk().rename("new", "d/moved");
            disk().rename("d/moved", "old");
            disk().syncDirectory("");
            write(file, 0, "NEW");
            file.sync();
            assertThat(read(file, 0, 11)).isEqualTo("NEW content");
            assertThat(file.allocatedBytes()).isNotNegative();
        }
        assertThat(disk().list("")).containsExactly("d", "old");
        assertThat(disk().list("d")).isEmpty();
        assertThat(content("old")).isEqualTo("NEW content");
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> disk().rename("missing", "x"));
        assertThat(disk().exists("x")).isFalse();
    }

    @Test
    void deletingWhatIsMissingIsFineAndWhatIsFullIsNot() throws IOException {
        disk().delete("missing");
        disk().createDirectories("d");
        create("d/f", "x");
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> disk().delete("d"));
        disk().delete("d/f");
        disk().syncDirectory("d");
        disk().delete("d");
        assertThat(disk().list("")).isEmpty();
        create("f", "second life");
        disk().delete("f");
        create("f", "third");
        assertThat(content("f")).isEqualTo("third");
    }

    @Test
    void preallocatedSpaceIsZeroAndCounts() throws IOException {
        int length = (2 << 20) + 4096;
        try (DiskFile file = disk().open("f", true)) {
            write(file, 8192, "gone");
            file.preallocate(4096, length);
            assertThat(file.sizeBytes()).isEqualTo(4096 + length);
            assertThat(read(file, 8190, 8)).isEqualTo("\0".repeat(8));
            file.sync();
            assertThat(file.allocatedBytes()).isGreaterThanOrEqualTo(length);
            file.preallocate(0, 4096);
            assertThat(file.sizeBytes()).isEqualTo(4096 + length);
        }
    }

    @Test
    void reservedRoomChangesNothingThatIsRead() throws IOException {
        try (DiskFile file = disk().open("f", true)) {
            file.truncate(1 << 20);
            write(file, 8192, "kept");
            file.reserve(4096, 3 * 4096);
            file.reserve(16 << 20, 4096);
            assertThat(read(file, 8190, 8)).isEqualTo("\0\0kept\0\0");
            assertThat(file.sizeBytes()).isEqualTo(1 << 20);
            write(file, 12288, "new");
            file.sync();
            assertThat(read(file, 8190, 8)).isEqualTo("\0\0kept\0\0");
            assertThat(read(file, 12286, 6)).isEqualTo("\0\0new\0");
            assertThat(file.sizeBytes()).isEqualTo(1 << 20);
        }
    }

    @Test
    void punchingZeroesTheRangeOrDoesNothing() throws IOException {
        try (DiskFile file = disk().open("f", true)) {
            ByteBuffer ones = ByteBuffer.allocate(16 * 4096);
            while (ones.hasRemaining()) {
                ones.put((byte) '1');
            }
            file.write(0, ones.flip());
            file.sync();
            boolean punched = file.punch(4 * 4096, 8 * 4096);
            String middle = punched ? "\0" : "1";
            assertThat(read(file, 4 * 4096 - 2, 4)).isEqualTo("11" + middle.repeat(2));
            assertThat(read(file, 12 * 4096 - 2, 4)).isEqualTo(middle.repeat(2) + "11");
            assertThat(file.sizeBytes()).isEqualTo(16 * 4096);
            file.punch(1 << 30, 4096);
            assertThat(file.sizeBytes()).isEqualTo(16 * 4096);
            write(file, 5 * 4096, "again");
            assertThat(read(file, 5 * 4096, 5)).isEqualTo("again");
        }
    }

    @Test
    void lookingForDataPassesOverNone() throws IOException {
        try (DiskFile file = disk().open("f", true)) {
            file.truncate(64 << 20);
            long none = file.nextData(0);
            assertThat(none).isIn(0L, Long.MAX_VALUE);
            write(file, 40 << 20, "data");
            for (long from : new long[] {0, 4096, (40 << 20) - 1, 40 << 20, (40 << 20) + 3}) {
                assertThat(file.nextData(from)).isBetween(from, Math.max(from, 40L << 20));
            }
            file.sync();
            assertThat(file.nextData(0)).isBetween(0L, 40L << 20);
            assertThat(file.nextData(50 << 20)).isIn(50L << 20, Long.MAX_VALUE);
            assertThat(file.nextData(100 << 20)).isIn(100L << 20, Long.MAX_VALUE);
        }
    }

    @Test
    void truncatingCutsOrLengthensWithZeroes() throws IOException {
        try (DiskFile file = disk().open("f", true)) {
            write(file, 0, "abcdef");
            file.truncate(2);
            assertThat(file.sizeBytes()).isEqualTo(2);
            assertThat(read(file, 0, 4)).isEqualTo("ab\0\0");
            file.truncate(100);
            assertThat(file.sizeBytes()).isEqualTo(100);
            assertThat(read(file, 0, 6)).isEqualTo("ab\0\0\0\0");
            file.truncate(100);
            write(file, 4, "e");
            assertThat(read(file, 0, 5)).isEqualTo("ab\0\0e");
            assertThat(file.sizeBytes()).isEqualTo(100);
            file.truncate(1L << 40);
            assertThat(file.sizeBytes()).isEqualTo(1L << 40);
            assertThat(read(file, (1L << 40) - 3, 5)).isEqualTo("\0".repeat(5));
            file.truncate(0);
            assertThat(file.sizeBytes()).isZero();
        }
    }

    @Test
    void aClosedFileRefusesEverythingButClosing() throws IOException {
        DiskFile file = disk().open("f", true);
        write(file, 0, "abc");
        file.close();
        file.close();
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> write(file, 0, "x"));
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> read(file, 0, 1));
        assertThatExceptionOfType(IOException.class).isThrownBy(file::sync);
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> file.punch(0, 4096));
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> file.preallocate(0, 4096));
        assertThatExceptionOfType(IOException.class).isThrownBy(file::sizeBytes);
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> file.truncate(0));
        assertThatExceptionOfType(IOException.class).isThrownBy(file::allocatedBytes);
        assertThat(content("f")).isEqualTo("abc");
    }

    @Test
    void namesThatLeaveTheDiskAreRefused() {
        for (String name : List.of("..", "../f", "a/../../f", "/etc/f", "a//b", "a/", "./a", "a/./b")) {
            assertThatIllegalArgumentException().as(name).isThrownBy(() -> disk().open(name, true));
            assertThatIllegalArgumentException().as(name).isThrownBy(() -> disk().list(name));
            assertThatIllegalArgumentException().as(name).isThrownBy(() -> disk().delete(name));
        }
    }

    /** Makes the file with that content. */
    protected final void create(String name, String content) throws IOException {
        try (DiskFile file = disk().open(name, true)) {
            write(file, 0, content);
        }
    }

    /** The whole file. */
    protected final String content(String name) throws IOException {
        try (DiskFile file = disk().open(name, false)) {
            return read(file, 0, (int) file.sizeBytes());
        }
    }

    protected static void write(DiskFile file, long position, String text) throws IOException {
        file.write(position, utf8(text));
    }

    protected static String read(DiskFile file, long position, int length) throws IOException {
        ByteBuffer target = ByteBuffer.allocate(length);
        while (target.hasRemaining()) {
            target.put((byte) '?');
        }
        file.read(position, target.clear());
        return StandardCharsets.UTF_8.decode(target.flip()).toString();
    }

    private static ByteBuffer utf8(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }
}
