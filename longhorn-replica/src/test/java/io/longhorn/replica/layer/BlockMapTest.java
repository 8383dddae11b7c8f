package io.longhorn.replica.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.longhorn.replica.wire.BlockState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BlockMapTest {
    private static final int PER_PAGE = MapPage.ENTRIES;

    private final LayerRig rig;

    BlockMapTest() throws IOException {
        rig = new LayerRig();
    }

    @Test
    void anUntouchedMapIsAbsentEverywhere() throws IOException {
        assertThat(rig.map().blocks()).isEqualTo(PER_PAGE * 100);
        for (long block : new long[] {0, 1, PER_PAGE - 1, PER_PAGE, PER_PAGE * 100 - 1}) {
            assertThat(rig.map().entry(block)).isEqualTo(MapEntry.ABSENT);
            assertThat(rig.map().crc(block)).isZero();
            assertThat(rig.map().page(block)).isNull();
        }
        assertThatIllegalArgumentException().isThrownBy(() -> rig.map().entry(PER_PAGE * 100));
        assertThatIllegalArgumentException().isThrownBy(() -> rig.map().entry(-1));
    }

    @Test
    void entriesAreReadAsTheyWereWrittenAlsoAfterARestart() throws IOException {
        rig.update(BlockState.DATA, 7, 0, 5, PER_PAGE, PER_PAGE * 99 + 335);
        rig.update(BlockState.ZEROED, 8, 5, 6);
        for (LayerRig each : List.of(rig, new LayerRig(rig.disk))) {
            assertThat(each.map().entry(0)).isEqualTo(LayerRig.data(7));
            assertThat(each.map().crc(0)).isEqualTo(LayerRig.crcOf(0, 7));
            assertThat(MapEntry.isZeroed(each.map().entry(5))).isTrue();
            assertThat(MapEntry.sequence(each.map().entry(6))).isEqualTo(8);
            assertThat(MapEntry.isAbsent(each.map().entry(7))).isTrue();
            assertThat(each.map().entry(PER_PAGE)).isEqualTo(LayerRig.data(7));
            assertThat(each.map().crc(PER_PAGE * 99 + 335)).isEqualTo(LayerRig.crcOf(PER_PAGE * 99 + 335, 7));
            assertThat(each.map().damagedPages()).isZero();
        }
    }

    @Test
    void anOlderSequenceNeverWins() throws IOException {
        rig.update(BlockState.DATA, 9, 3);
        MapUpdates updates = new MapUpdates();
        updates.add(2, LayerRig.data(4), 1);
        updates.add(3, LayerRig.data(9), 1);
        updates.add(4, LayerRig.data(4), 1);
        assertThat(rig.update(updates, BlockMap.NEWER)).isEqualTo(2);
        assertThat(rig.map().crc(3)).isEqualTo(LayerRig.crcOf(3, 9));
        assertThat(rig.map().entry(4)).isEqualTo(LayerRig.data(4));
        updates.clear();
        updates.add(3, MapEntry.ABSENT, 0);
        assertThat(rig.update(updates, BlockMap.NEWER)).isZero();
        assertThat(rig.update(updates, BlockMap.ALWAYS)).isEqualTo(1);
        assertThat(rig.map().entry(3)).isEqualTo(MapEntry.ABSENT);
        assertThat(rig.map().page(3)).isNotNull();
    }

    @Test
    void lookupsSeeAnUpdateOnceItEnded() throws IOException {
        rig.update(BlockState.DATA, 1, 1);
        assertThat(rig.map().entry(1)).isEqualTo(LayerRig.data(1));
        assertThat(rig.map().entry(PER_PAGE + 1)).isEqualTo(MapEntry.ABSENT);
        MapUpdates updates = new MapUpdates();
        updates.add(1, LayerRig.data(2), 0);
        updates.add(PER_PAGE + 1, LayerRig.data(2), 0);
        rig.layer.retain();
        rig.map().beginUpdate();
        rig.map().update(updates, BlockMap.NEWER);
        // Cached: the page as it was.
        assertThat(rig.map().entry(1)).isEqualTo(LayerRig.data(1));
        rig.map().endUpdate(updates);
        rig.layer.release();
        assertThat(rig.map().entry(1)).isEqualTo(LayerRig.data(2));
        assertThat(rig.map().entry(PER_PAGE + 1)).isEqualTo(LayerRig.data(2));
    }

    @Test
    void whatIsReadDuringAnUpdateIsNotKept() throws IOException {
        rig.update(BlockState.DATA, 1, 1);
        LayerRig again = new LayerRig(rig.disk);
        MapUpdates none = new MapUpdates();
        again.map().beginUpdate();
        assertThat(again.map().entry(1)).isEqualTo(LayerRig.data(1));
        // A copy half written by the worker is no damage.
        rig.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(0, 0) + 70, 1);
        rig.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(0, 0) + 1, 1);
        assertThat(MapEntry.isDamaged(again.map().entry(1))).isFalse();
        again.map().endUpdate(none);
        assertThat(MapEntry.isDamaged(again.map().entry(1))).isTrue();
    }

    @Test
    void updatesComeOneAtATimeAndOnlyBetweenBeginAndEnd() {
        MapUpdates updates = new MapUpdates();
        assertThatIllegalStateException().isThrownBy(() -> rig.map().update(updates, BlockMap.NEWER));
        assertThatIllegalStateException().isThrownBy(() -> rig.map().endUpdate(updates));
        rig.map().beginUpdate();
        assertThatIllegalStateException().isThrownBy(() -> rig.map().beginUpdate());
        updates.add(5, 1, 1);
        assertThatIllegalArgumentException().isThrownBy(() -> updates.add(5, 1, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> updates.add(4, 1, 1));
    }

    @Test
    void theOnlyValidCopyIsNeverOverwritten() throws IOException {
        byte[] before = new byte[2 * MapPage.BYTES];
        for (int i = 1; i <= 6; i++) {
            rig.update(BlockState.DATA, i, i);
            byte[] after = Arrays.copyOf(rig.disk.bytes(LayerRig.MAP_FILE), before.length);
            boolean firstChanged = !Arrays.equals(before, 0, MapPage.BYTES, after, 0, MapPage.BYTES);
            boolean secondChanged =
                    !Arrays.equals(before, MapPage.BYTES, 2 * MapPage.BYTES, after, MapPage.BYTES, 2 * MapPage.BYTES);
            assertThat(firstChanged).isNotEqualTo(secondChanged);
            assertThat(firstChanged).isEqualTo(i % 2 == 1);
            before = after;
        }
    }

    @Test
    void everyFlippedByteOfTheNewestCopyIsDamage() throws IOException {
        rig.update(BlockState.DATA, 1, 1);
        rig.update(BlockState.DATA, 2, 2);
        for (int at = 0; at < MapPage.BYTES; at++) {
            for (int mask : new int[] {1, 0x80}) {
                rig.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(0, 1) + at, mask);
                LayerRig again = new LayerRig(rig.disk);
                assertThat(again.map().entry(1)).as("byte %d", at).isEqualTo(MapEntry.DAMAGED);
                assertThat(again.map().entry(200)).isEqualTo(MapEntry.DAMAGED);
                assertThat(again.map().damagedPages()).isEqualTo(1);
                rig.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(0, 1) + at, mask);
            }
        }
        assertThat(new LayerRig(rig.disk).map().entry(2)).isEqualTo(LayerRig.data(2));
    }

    @Test
    void aFlippedByteOfTheOlderCopyIsHarmlessUnlessItHidesWhichOneIsOlder() throws IOException {
        rig.update(BlockState.DATA, 1, 1);
        rig.update(BlockState.DATA, 2, 2);
        for (int at = 0; at < MapPage.BYTES; at++) {
            rig.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(0, 0) + at, 2);
            LayerRig again = new LayerRig(rig.disk);
            boolean headerHit = at >= MapPage.HEADER_CRC_OFFSET && at < MapPage.ENTRIES_OFFSET;
            assertThat(again.map().entry(2))
                    .as("byte %d", at)
                    .isEqualTo(headerHit ? MapEntry.DAMAGED : LayerRig.data(2));
            rig.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(0, 0) + at, 2);
        }
    }

    @Test
    void aDamagedFirstCopyIsNotTakenForAnAbsentPage() throws IOException {
        rig.update(BlockState.DATA, 1, 1);
        rig.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(0, 0) + 1000, 2);
        LayerRig again = new LayerRig(rig.disk);
        assertThat(MapEntry.isDamaged(again.map().entry(1))).isTrue();
        assertThat(MapEntry.isDamaged(again.map().entry(300))).isTrue();
        assertThat(again.map().entry(PER_PAGE)).isEqualTo(MapEntry.ABSENT);
    }

    @Test
    void bothCopiesInvalidIsDamageEvenWhereAWriteMayBeTorn() throws IOException {
        rig.update(BlockState.DATA, 1, 1);
        rig.update(BlockState.DATA, 2, 2);
        rig.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(0, 0) + 1000, 2);
        rig.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(0, 1) + 1000, 2);
        LayerRig again = new LayerRig(rig.disk);
        again.map().expectTornAnywhere();
        assertThat(MapEntry.isDamaged(again.map().entry(1))).isTrue();
    }

    @Test
    void aTornWriteThatTheJournalRepeatsLeavesTheOlderCopy() throws IOException {
        rig.update(BlockState.DATA, 1, 1, PER_PAGE);
        rig.update(BlockState.DATA, 2, 2, PER_PAGE + 1);
        for (long page = 0; page < 2; page++) {
            rig.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(page, 1) + 1000, 2);
        }
        LayerRig again = new LayerRig(rig.disk);
        again.map().expectTorn(10, 1);
        assertThat(again.map().entry(1)).isEqualTo(LayerRig.data(1));
        assertThat(again.map().entry(2)).isEqualTo(MapEntry.ABSENT);
        assertThat(MapEntry.isDamaged(again.map().entry(PER_PAGE))).isTrue();
        again.update(BlockState.DATA, 2, 2);
        assertThat(again.map().entry(2)).isEqualTo(LayerRig.data(2));
        LayerRig strict = new LayerRig(rig.disk);
        assertThat(strict.map().entry(1)).isEqualTo(LayerRig.data(1));
        assertThat(strict.map().entry(2)).isEqualTo(LayerRig.data(2));
    }

    @Test
    void aPageThatWasRepeatedOnceIsNotTornAgain() throws IOException {
        rig.update(BlockState.DATA, 1, 1);
        LayerRig again = new LayerRig(rig.disk);
        again.map().expectTorn(1, 1);
        again.update(BlockState.DATA, 2, 2);
        rig.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(0, 1) + 1000, 2);
        MapUpdates none = new MapUpdates();
        none.add(3, LayerRig.data(3), 0);
        again.update(none, BlockMap.NEWER);
        assertThat(MapEntry.isDamaged(again.map().entry(2))).isTrue();
    }

    @Test
    void aRangeOfTornPagesIsExpectedUpToTheEndOfTheMap() throws IOException {
        rig.update(BlockState.DATA, 1, PER_PAGE * 99);
        rig.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(99, 0) + 1000, 2);
        LayerRig again = new LayerRig(rig.disk);
        again.map().expectTorn(PER_PAGE * 98, PER_PAGE * 5);
        assertThat(again.map().entry(PER_PAGE * 99)).isEqualTo(MapEntry.ABSENT);
    }

    @Test
    void newEntriesOnADamagedPageAreKnownAndTheOthersStayDamaged() throws IOException {
        rig.update(BlockState.DATA, 1, 1);
        rig.update(BlockState.DATA, 2, 2);
        rig.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(0, 1) + 1000, 2);
        LayerRig again = new LayerRig(rig.disk);
        again.update(BlockState.DATA, 3, 3);
        for (LayerRig each : List.of(again, new LayerRig(rig.disk))) {
            assertThat(each.map().entry(3)).isEqualTo(LayerRig.data(3));
            assertThat(MapEntry.isDamaged(each.map().entry(1))).isTrue();
            assertThat(MapEntry.isDamaged(each.map().entry(2))).isTrue();
        }
        again.update(BlockState.DATA, 1, 1);
        assertThat(again.map().entry(1)).isEqualTo(LayerRig.data(1));
    }

    @Test
    void damageIsWrittenDownBeforeTheOutdatedCopyCouldCountAgain() throws IOException {
        for (long seed = 0; seed < 200; seed++) {
            LayerRig each = new LayerRig();
            each.update(BlockState.DATA, 1, 1);
            each.update(BlockState.DATA, 2, 2);
            each.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(0, 1) + 1000, 2);
            LayerRig again = new LayerRig(each.disk);
            again.updateUnsynced(BlockState.DATA, 3, 3);
            each.disk.crash(new Random(seed));
            LayerRig after = new LayerRig(each.disk);
            // The journal has record 3, so this page may be torn; that must not bring back a page from before record 2.
            after.map().expectTorn(3, 1);
            assertThat(MapEntry.isDamaged(after.map().entry(2)))
                    .as("seed %d", seed)
                    .isTrue();
            assertThat(MapEntry.isAbsent(after.map().entry(3))).isFalse();
        }
    }

    @Test
    void aPageOfBothCopiesDamagedIsWholeAfterANewWrite() throws IOException {
        rig.update(BlockState.DATA, 1, 1);
        rig.update(BlockState.DATA, 2, 2);
        rig.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(0, 0) + 20, 2);
        rig.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(0, 1) + 20, 2);
        LayerRig again = new LayerRig(rig.disk);
        again.update(BlockState.DATA, 3, 3);
        LayerRig after = new LayerRig(rig.disk);
        assertThat(after.map().entry(3)).isEqualTo(LayerRig.data(3));
        assertThat(MapEntry.isDamaged(after.map().entry(2))).isTrue();
        assertThat(after.map().damagedPages()).isZero();
    }

    @Test
    void aCopyThatCannotBeReadIsABadOne() throws IOException {
        rig.update(BlockState.DATA, 1, 1, PER_PAGE);
        rig.update(BlockState.DATA, 2, 2);
        rig.disk.unreadable.add(LayerRig.MAP_FILE + "@1");
        LayerRig again = new LayerRig(rig.disk);
        assertThat(MapEntry.isDamaged(again.map().entry(2))).isTrue();
        assertThat(again.map().entry(PER_PAGE)).isEqualTo(LayerRig.data(1));
        LayerRig lenient = new LayerRig(rig.disk);
        lenient.map().expectTornAnywhere();
        assertThat(lenient.map().entry(1)).isEqualTo(LayerRig.data(1));
        List<Long> found = new ArrayList<>();
        new LayerRig(rig.disk).map().walk(0, PER_PAGE + 5, 0, (block, entry, crc) -> found.add(block));
        assertThat(found).hasSize(PER_PAGE + 1).endsWith((long) PER_PAGE);
        rig.disk.unreadable.add(LayerRig.MAP_FILE + "@0");
        assertThat(MapEntry.isDamaged(new LayerRig(rig.disk).map().entry(2))).isTrue();
        rig.disk.unreadable.clear();
        assertThat(new LayerRig(rig.disk).map().entry(2)).isEqualTo(LayerRig.data(2));
    }

    @Test
    void aPageFromElsewhereIsDamage() throws IOException {
        rig.update(BlockState.DATA, 1, 1, PER_PAGE);
        byte[] file = rig.disk.bytes(LayerRig.MAP_FILE);
        byte[] second = Arrays.copyOfRange(file, 2 * MapPage.BYTES, 3 * MapPage.BYTES);
        rig.disk.poke(LayerRig.MAP_FILE, LayerRig.copyAt(5, 0), second);
        rig.disk.poke(LayerRig.MAP_FILE, LayerRig.copyAt(6, 0), sealed(PER_PAGE * 6, 1, 901, 0));
        rig.disk.poke(LayerRig.MAP_FILE, LayerRig.copyAt(7, 0), sealed(PER_PAGE * 7, 1, 900, 1));
        LayerRig again = new LayerRig(rig.disk);
        for (long page = 5; page <= 7; page++) {
            assertThat(MapEntry.isDamaged(again.map().entry(PER_PAGE * page))).isTrue();
        }
    }

    /** A good page of that block with a counter, for a layer and replica that may be others. */
    private static byte[] sealed(long block, long counter, long layerSequence, long replicaOffset) {
        MapPage page = new MapPage(ByteBuffer.allocate(MapPage.BYTES));
        page.set(0, LayerRig.data(1), 5);
        page.seal(
                counter,
                MapPage.pageOf(block),
                new io.longhorn.replica.wire.LayerId(5, layerSequence),
                new java.util.UUID(
                        LayerRig.REPLICA.getMostSignificantBits(),
                        LayerRig.REPLICA.getLeastSignificantBits() + replicaOffset));
        return page.bytes().array();
    }

    @Test
    void aPageOfAnotherVersionIsDamage() throws IOException {
        for (int version : new int[] {0, 2}) {
            byte[] page = sealed(0, 1, 900, 0);
            ByteBuffer b = ByteBuffer.wrap(page).order(java.nio.ByteOrder.LITTLE_ENDIAN);
            b.putInt(MapPage.VERSION_OFFSET, version);
            b.putInt(
                    MapPage.HEADER_CRC_OFFSET,
                    io.longhorn.replica.wire.Checksum.of(
                            b, MapPage.MAGIC_OFFSET, MapPage.ENTRIES_OFFSET - MapPage.MAGIC_OFFSET));
            b.putInt(
                    MapPage.PAGE_CRC_OFFSET,
                    io.longhorn.replica.wire.Checksum.of(
                            b, MapPage.HEADER_CRC_OFFSET, MapPage.BYTES - MapPage.HEADER_CRC_OFFSET));
            rig.disk.poke(LayerRig.MAP_FILE, 0, page);
            assertThat(MapEntry.isDamaged(new LayerRig(rig.disk).map().entry(0)))
                    .isTrue();
        }
    }

    @Test
    void aWalkGivesEntriesBeyondASequenceInOrder() throws IOException {
        rig.update(BlockState.DATA, 5, 0, 1, PER_PAGE * 50, PER_PAGE * 99 + 335);
        rig.update(BlockState.ZEROED, 9, 1, PER_PAGE * 50 + 3);
        assertThat(walk(0, Long.MAX_VALUE, 0))
                .containsExactly(0L, 1L, PER_PAGE * 50L, PER_PAGE * 50L + 3, PER_PAGE * 99L + 335);
        assertThat(walk(0, Long.MAX_VALUE, 5)).containsExactly(1L, PER_PAGE * 50L + 3);
        assertThat(walk(1, PER_PAGE * 50L, 0)).containsExactly(1L);
        assertThat(walk(2, PER_PAGE * 50L + 1, 0)).containsExactly(PER_PAGE * 50L);
        assertThat(walk(7, 7, 0)).isEmpty();
        assertThat(walk(0, Long.MAX_VALUE, 9)).isEmpty();
    }

    private List<Long> walk(long from, long to, long since) throws IOException {
        List<Long> blocks = new ArrayList<>();
        long end = rig.map().walk(from, to, since, (block, entry, crc) -> {
            assertThat(crc).isEqualTo(MapEntry.isData(entry) ? LayerRig.crcOf(block, MapEntry.sequence(entry)) : 0);
            return blocks.add(block);
        });
        assertThat(end).isEqualTo(to);
        return blocks;
    }

    @Test
    void aWalkGoesOnWhereItWasStopped() throws IOException {
        long[] blocks = {0, 3, PER_PAGE - 1, PER_PAGE, PER_PAGE * 40, PER_PAGE * 40 + 1};
        rig.update(BlockState.DATA, 5, blocks);
        List<Long> found = new ArrayList<>();
        long at = 0;
        while (at < rig.map().blocks()) {
            at = rig.map().walk(at, rig.map().blocks(), 0, (block, entry, crc) -> {
                found.add(block);
                return false;
            });
        }
        assertThat(found)
                .containsExactlyElementsOf(Arrays.stream(blocks).boxed().toList());
    }

    @Test
    void aWalkReadsWhatWasNeverWrittenOnlyOnce() throws IOException {
        rig.update(BlockState.DATA, 5, 0, PER_PAGE * 50);
        walk(0, Long.MAX_VALUE, 0);
        long before = rig.disk.bytesRead;
        walk(0, Long.MAX_VALUE, 0);
        assertThat(rig.disk.bytesRead - before).isLessThanOrEqualTo(2L * 32 * BlockMap.PAGE_FILE_BYTES);
        rig.update(BlockState.DATA, 6, PER_PAGE * 70);
        assertThat(walk(0, Long.MAX_VALUE, 5)).containsExactly(PER_PAGE * 70L);
    }

    @Test
    void aWalkNeverReadsWhatTheDiskKnowsToBeEmpty() throws IOException {
        rig.update(BlockState.DATA, 5, 0, PER_PAGE * 50, PER_PAGE * 99 + 3);
        rig.disk.tellsHoles = true;
        LayerRig again = new LayerRig(rig.disk);
        long before = rig.disk.bytesRead;
        List<Long> found = new ArrayList<>();
        long end = again.map().walk(0, again.map().blocks(), 0, (block, entry, crc) -> found.add(block));
        assertThat(end).isEqualTo(again.map().blocks());
        assertThat(found).containsExactly(0L, PER_PAGE * 50L, PER_PAGE * 99L + 3);
        assertThat(rig.disk.bytesRead - before).isLessThan(70L * BlockMap.PAGE_FILE_BYTES);
        before = rig.disk.bytesRead;
        assertThat(again.map().entry(PER_PAGE * 45)).isEqualTo(MapEntry.ABSENT);
        assertThat(rig.disk.bytesRead).isEqualTo(before);
        again.update(BlockState.DATA, 6, PER_PAGE * 45);
        assertThat(again.map().entry(PER_PAGE * 45)).isEqualTo(LayerRig.data(6));
        found.clear();
        again.map().walk(PER_PAGE * 10 + 5, PER_PAGE * 40 + 7, 0, (block, entry, crc) -> found.add(block));
        assertThat(found).isEmpty();
    }

    @Test
    void aWalkGivesDamagedEntriesWhateverTheirSequence() throws IOException {
        rig.update(BlockState.DATA, 5, 0, PER_PAGE);
        rig.disk.flip(LayerRig.MAP_FILE, LayerRig.copyAt(1, 0) + 999, 1);
        List<Long> damaged = new ArrayList<>();
        rig.map().walk(0, rig.map().blocks(), 1000, (block, entry, crc) -> {
            assertThat(MapEntry.isDamaged(entry)).isTrue();
            return damaged.add(block);
        });
        assertThat(damaged).hasSize(PER_PAGE).startsWith((long) PER_PAGE).endsWith(2L * PER_PAGE - 1);
    }

    @Test
    void lookupsReadAnAbsentPageOnlyOnce() throws IOException {
        rig.map().entry(5);
        long before = rig.disk.bytesRead;
        rig.map().entry(6);
        rig.map().entry(5);
        assertThat(rig.disk.bytesRead).isEqualTo(before);
    }

    @Test
    void aLargerMapKeepsItsEntries() throws IOException {
        rig.update(BlockState.DATA, 5, 0, PER_PAGE * 99);
        rig.map().entry(PER_PAGE);
        LayerFiles.expand(rig.disk, LayerRig.PLACE, LayerRig.LAYER, 2 * LayerRig.SIZE_BYTES);
        rig.layer.sizeBytes(2 * LayerRig.SIZE_BYTES);
        assertThat(rig.map().blocks()).isEqualTo(PER_PAGE * 200);
        assertThat(rig.map().entry(PER_PAGE * 199)).isEqualTo(MapEntry.ABSENT);
        rig.update(BlockState.DATA, 6, PER_PAGE * 199);
        assertThat(walk(0, Long.MAX_VALUE, 0)).containsExactly(0L, PER_PAGE * 99L, PER_PAGE * 199L);
    }

    /** Random updates with power losses, against a plain map: the journal is played by repeating what was not durable. */
    @Test
    void crashesLoseOnlyWhatTheJournalRepeats() throws IOException {
        for (long seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            LayerRig each = new LayerRig();
            Map<Long, Long> durable = new HashMap<>();
            long sequence = 0;
            for (int round = 0; round < 30; round++) {
                MapUpdates updates = new MapUpdates();
                Map<Long, Long> next = new HashMap<>(durable);
                sequence++;
                for (long block = random.nextInt(200); block < 2000; block += 1 + random.nextInt(600)) {
                    updates.add(block, LayerRig.data(sequence), LayerRig.crcOf(block, sequence));
                    next.put(block, sequence);
                }
                each.update(updates, BlockMap.NEWER);
                if (random.nextInt(3) == 0) {
                    each.disk.crash(random);
                    each = new LayerRig(each.disk);
                    for (int i = 0; i < updates.size(); i++) {
                        each.map().expectTorn(updates.block(i), 1);
                    }
                    for (Map.Entry<Long, Long> known : durable.entrySet()) {
                        long entry = each.map().entry(known.getKey());
                        assertThat(MapEntry.isData(entry)).as("seed %d", seed).isTrue();
                        assertThat(MapEntry.sequence(entry)).isIn(known.getValue(), next.get(known.getKey()));
                    }
                    each.update(updates, BlockMap.NEWER);
                }
                each.layer.syncMap();
                durable = next;
                check(each, durable, seed);
            }
            each.disk.forgetUnsynced();
            check(new LayerRig(each.disk), durable, seed);
        }
    }

    private static void check(LayerRig each, Map<Long, Long> expected, long seed) throws IOException {
        for (long block = 0; block < 2000; block++) {
            Long sequence = expected.get(block);
            long entry = each.map().entry(block);
            assertThat(entry)
                    .as("seed %d block %d", seed, block)
                    .isEqualTo(sequence == null ? 0 : LayerRig.data(sequence));
        }
    }
}
