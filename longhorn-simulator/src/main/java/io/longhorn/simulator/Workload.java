package io.longhorn.simulator;

import io.longhorn.simulator.history.BlockContents;
import io.longhorn.simulator.history.History;
import io.longhorn.simulator.history.Operation;
import io.longhorn.simulator.history.Violation;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Callers of a volume: some at once per session, each with one operation under way, mostly on few blocks so that operations meet. Everything
 * they ask for and are told goes into the {@link History}.
 */
public final class Workload {
    private static final int BLOCK = BlockContents.BLOCK_BYTES;
    private static final int CELL = BlockContents.CELL_BYTES;
    private static final int CELLS = BlockContents.CELLS;
    private static final int READERS_MIN = 4;
    private static final int READS_MAX = 40;
    private static final int HELD_READS_MAX = 12;
    private static final long HELD_PAUSE_NANOS = 300_000_000;

    private final SimScheduler scheduler;
    private final SimRandom random;
    private final History history;
    private final Shape shape;
    private final List<Integer> liveSnapshots = new ArrayList<>();
    private final int[] lastSeen;
    private int started;
    /** Blocks that callers use: those the volume is known to have. */
    private int sizeBlocks;

    private boolean stopped;
    private Consumer<Operation> watcher = operation -> {};
    private int confirmed;
    private int failed;
    private int failedInSurvey;

    /**
     * What kind of load it is.
     *
     * @param blocks size of the volume at most
     * @param firstBlocks size of the volume at first
     * @param hotBlocks blocks that most operations are about
     * @param callers per session
     * @param operations in all
     * @param thinkNanos pause of a caller between two operations, at most, mostly
     * @param readPercent how many of the operations on data are reads
     * @param structurePermille how many operations are about snapshots
     * @param snapshotsMax snapshots alive at once
     * @param flushPermille how many operations are flushes
     * @param forcedPermille how many writes are forced
     * @param writeThrough whether the volume confirms at durable only
     */
    public record Shape(
            int blocks,
            int firstBlocks,
            int hotBlocks,
            int callers,
            int operations,
            long thinkNanos,
            int readPercent,
            int structurePermille,
            int snapshotsMax,
            int flushPermille,
            int forcedPermille,
            boolean writeThrough) {

        /** A random load on a volume of {@code blocks}. */
        public static Shape random(SimRandom random, int blocks) {
            return new Shape(
                    blocks,
                    random.oneIn(3) ? random.between(1, blocks) : blocks,
                    random.between(1, 12),
                    random.between(1, 6),
                    random.between(40, 170),
                    random.oneIn(4) ? 40_000_000L : 4_000_000L,
                    random.oneIn(4) ? random.between(70, 97) : 42,
                    random.oneIn(3) ? 0 : random.between(10, 80),
                    random.between(1, 5),
                    random.oneIn(4) ? 0 : random.between(5, 120),
                    random.oneIn(3) ? 0 : random.between(5, 300),
                    random.oneIn(6));
        }
    }

    public Workload(SimScheduler scheduler, History history, Shape shape) {
        this.scheduler = scheduler;
        this.random = scheduler.random().split();
        this.history = history;
        this.shape = shape;
        this.lastSeen = new int[shape.blocks];
        this.sizeBlocks = shape.firstBlocks;
    }

    /** Whether every operation was begun. */
    public boolean isExhausted() {
        return started >= shape.operations;
    }

    /** No caller begins anything more. */
    public void stop() {
        stopped = true;
    }

    public int confirmed() {
        return confirmed;
    }

    public int failed() {
        return failed;
    }

    /** Callers begin on a session that is open. */
    public void attach(int session, VolumePort port, SimLoop loop) {
        sizeBlocks = (int) (port.sizeBytes() / BLOCK);
        for (int i = 0; i < shape.callers; i++) {
            new Caller(session, port, loop).later();
        }
    }

    /** Told of every operation of a caller at the moment it is confirmed. */
    public void watch(Consumer<Operation> told) {
        watcher = told;
    }

    /** More callers on a session, each of which reads one of the hot blocks again and again, until a read fails or it has had enough. */
    public void attachReaders(int session, VolumePort port, SimLoop loop, long pauseNanos) {
        int hot = Math.min(Math.max(shape.hotBlocks, READERS_MIN), sizeBlocks);
        for (int block = 0; block < hot; block++) {
            new Reader(session, port, loop, block, pauseNanos).next();
        }
    }

    /** How many reads of the last {@link #readEverything} failed. */
    public int failedInSurvey() {
        return failedInSurvey;
    }

    /** Reads everything there is and flushes, for the end of a run; {@code done} is told when all was answered. */
    public void readEverything(int session, VolumePort port, SimLoop loop, Runnable done) {
        failedInSurvey = 0;
        loop.execute(() -> new Survey(session, port, done).begin());
    }

    int[] decode(ByteBuffer bytes, int firstBlock, int count) {
        int[] seen = new int[count];
        for (int i = 0; i < count; i++) {
            int[] cells = new int[CELLS];
            seen[i] = 0;
            for (int cell = 0; cell < CELLS; cell++) {
                cells[cell] = BlockContents.recognize(bytes, i * BLOCK + cell * CELL, firstBlock + i, cell);
                seen[i] = cells[cell] < 0 ? -1 : seen[i];
            }
            seen[i] = seen[i] < 0 ? -1 : history.contents().number(cells);
        }
        return seen;
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The cells' new bytes. */
    private static ByteBuffer written(int id, int firstCell, int cells) {
        ByteBuffer bytes = buffer(cells * CELL);
        for (int i = 0; i < cells; i++) {
            BlockContents.fill(bytes, i * CELL, id, (firstCell + i) / CELLS, (firstCell + i) % CELLS);
        }
        return bytes;
    }

    private final class Caller {
        private final int session;
        private final VolumePort port;
        private final SimLoop loop;

        Caller(int session, VolumePort port, SimLoop loop) {
            this.session = session;
            this.port = port;
            this.loop = loop;
        }

        void later() {
            long pause = random.oneIn(40) ? random.below(6_000_000_000L) : random.below(shape.thinkNanos);
            loop.process().at(scheduler.now() + pause, () -> loop.execute(this::next));
        }

        private void next() {
            if (stopped || isExhausted()) {
                return;
            }
            started++;
            int choice = random.below(1000);
            if (choice < shape.structurePermille) {
                structure();
            } else if (choice < shape.structurePermille + shape.flushPermille) {
                Operation flush = history.flush(session);
                port.flush(told(flush));
            } else {
                data();
            }
        }

        private void data() {
            if (random.below(100) < shape.readPercent) {
                read();
                return;
            }
            int choice = random.below(100);
            if (choice < 80) {
                write();
            } else if (choice < 90) {
                zero();
            } else {
                compareAndWrite();
            }
        }

        private VolumePort.Done told(Operation operation) {
            return failure -> {
                if (failure == null) {
                    history.confirmed(operation);
                }
                ended(operation, failure);
            };
        }

        private void ended(Operation operation, @Nullable Throwable failure) {
            if (failure == null) {
                confirmed++;
                watcher.accept(operation);
            } else {
                failed++;
                history.failed(operation);
            }
            scheduler.note(loop.process().name(), failure == null ? "confirmed" : "failed", number(operation), 0);
            later();
        }

        private int firstBlock() {
            int hot = Math.min(shape.hotBlocks, sizeBlocks);
            return random.oneIn(4) ? random.below(sizeBlocks) : random.below(hot);
        }

        private int count(int first) {
            int most = sizeBlocks - first;
            int wanted = random.oneIn(8) ? random.between(1, 80) : random.between(1, 3);
            return Math.min(most, wanted);
        }

        private void read() {
            int first = firstBlock();
            int count = count(first);
            if (!liveSnapshots.isEmpty() && random.oneIn(6)) {
                int snapshot = liveSnapshots.get(random.below(liveSnapshots.size()));
                readSnapshot(snapshot, first, count);
                return;
            }
            Operation read = history.read(session, first, count);
            note(read, first, count);
            ByteBuffer target = buffer(count * BLOCK);
            port.read((long) first * BLOCK, target, failure -> {
                if (failure == null) {
                    int[] seen = decode(target, first, count);
                    System.arraycopy(seen, 0, lastSeen, first, count);
                    history.confirmedRead(read, seen);
                }
                ended(read, failure);
            });
        }

        private void readSnapshot(int snapshot, int first, int count) {
            Operation read = history.snapshotRead(session, snapshot, first, count);
            ByteBuffer target = buffer(count * BLOCK);
            port.readSnapshot("s" + snapshot, (long) first * BLOCK, target, failure -> {
                if (failure == null) {
                    history.confirmedRead(read, decode(target, first, count));
                }
                ended(read, failure);
            });
        }

        private int[] cells() {
            int block = firstBlock();
            if (random.oneIn(3)) {
                int first = block * CELLS + random.below(CELLS);
                return new int[] {first, Math.min(random.between(1, 20), sizeBlocks * CELLS - first)};
            }
            return new int[] {block * CELLS, count(block) * CELLS};
        }

        private void write() {
            int[] range = cells();
            boolean forced = random.permille(shape.forcedPermille);
            Operation write = history.write(session, range[0], range[1], forced || shape.writeThrough);
            note(write, range[0], range[1]);
            ByteBuffer data = written(History.writeId(write), range[0], range[1]);
            port.write((long) range[0] * CELL, data, forced, told(write));
        }

        private void zero() {
            int[] range = cells();
            Operation zero = history.zero(session, range[0], range[1], shape.writeThrough);
            long offset = (long) range[0] * CELL;
            long length = (long) range[1] * CELL;
            if (random.coin()) {
                port.discard(offset, length, told(zero));
            } else {
                port.writeZeroes(offset, length, random.coin(), told(zero));
            }
        }

        private void compareAndWrite() {
            int block = firstBlock();
            int first = random.oneIn(3) ? random.below(CELLS) : 0;
            int cells = random.between(1, CELLS - first);
            int expected = lastSeen[block];
            ByteBuffer expectedBytes = buffer(cells * CELL);
            for (int i = 0; i < cells; i++) {
                int id = history.contents().cell(expected, first + i);
                BlockContents.fill(expectedBytes, i * CELL, id, block, first + i);
            }
            int firstCell = block * CELLS + first;
            Operation operation =
                    history.compareAndWrite(session, firstCell, cells, new int[] {expected}, shape.writeThrough);
            ByteBuffer data = written(History.writeId(operation), firstCell, cells);
            port.compareAndWrite((long) firstCell * CELL, expectedBytes, data, (matched, failure) -> {
                if (failure == null) {
                    history.compared(operation, matched);
                }
                ended(operation, failure);
            });
        }

        private void structure() {
            int choice = random.below(10);
            if (sizeBlocks < shape.blocks && random.oneIn(4)) {
                expand();
                return;
            }
            boolean room = liveSnapshots.size() < shape.snapshotsMax
                    && history.operations().size() < 1_000_000
                    && history.snapshotsMade() < History.SNAPSHOTS_MAX;
            if (liveSnapshots.isEmpty() || (choice < 5 && room)) {
                if (room) {
                    createSnapshot();
                } else {
                    read();
                }
                return;
            }
            Integer snapshot = liveSnapshots.get(random.below(liveSnapshots.size()));
            if (choice < 7) {
                liveSnapshots.removeIf(snapshot::equals);
                delete(snapshot);
            } else if (choice < 8) {
                liveSnapshots.removeIf(snapshot::equals);
                deleteHeld(snapshot);
            } else {
                port.revert("s" + snapshot, told(history.revert(session, snapshot)));
            }
        }

        /** Deletes a snapshot that somebody holds and goes on reading. */
        private void deleteHeld(int snapshot) {
            int first = firstBlock();
            int count = count(first);
            VolumePort.Held held = port.hold("s" + snapshot).orElse(null);
            if (held == null) {
                delete(snapshot);
                return;
            }
            Operation read = history.snapshotRead(session, snapshot, first, count);
            ByteBuffer target = buffer(count * BLOCK);
            held.read((long) first * BLOCK, target, failure -> {
                if (failure != null) {
                    held.release();
                    ended(read, failure);
                    return;
                }
                history.confirmedRead(read, decode(target, first, count));
                new Holder(held, loop, first, target.rewind()).next();
                delete(snapshot);
            });
        }

        private void delete(int snapshot) {
            port.deleteSnapshot("s" + snapshot, told(history.snapshotDelete(session, snapshot)));
        }

        private void expand() {
            int wanted = random.between(sizeBlocks + 1, shape.blocks);
            Operation expansion = history.expand(session, wanted);
            port.expand((long) wanted * BLOCK, failure -> {
                if (failure == null) {
                    history.confirmed(expansion);
                    sizeBlocks = Math.max(sizeBlocks, wanted);
                }
                ended(expansion, failure);
            });
        }

        private void createSnapshot() {
            Operation snapshot = history.snapshot(session);
            int index = History.snapshotIndex(snapshot);
            port.snapshot("s" + index, failure -> {
                if (failure == null) {
                    history.confirmed(snapshot);
                    liveSnapshots.add(index);
                }
                ended(snapshot, failure);
            });
        }

        private void note(Operation operation, int first, int second) {
            scheduler.note(
                    loop.process().name(), operation.kind().name(), number(operation), ((long) first << 32) | second);
        }
    }

    private static int number(Operation operation) {
        return operation.number();
    }

    /** Somebody who holds a snapshot that is being deleted: what it holds does not change, though it may be lost with the connections. */
    private final class Holder {
        private final VolumePort.Held held;
        private final SimLoop loop;
        private final int first;
        private final ByteBuffer content;
        private int left = HELD_READS_MAX;

        Holder(VolumePort.Held held, SimLoop loop, int first, ByteBuffer content) {
            this.held = held;
            this.loop = loop;
            this.first = first;
            this.content = content;
        }

        void next() {
            if (left-- > 0) {
                long time = scheduler.now() + random.between(50_000L, HELD_PAUSE_NANOS);
                loop.process().at(time, () -> loop.execute(this::read));
            } else {
                held.release();
            }
        }

        private void read() {
            if (stopped) {
                held.release();
                return;
            }
            ByteBuffer again = buffer(content.remaining());
            held.read((long) first * BLOCK, again, failure -> {
                if (failure != null) {
                    held.release();
                } else if (again.rewind().equals(content)) {
                    next();
                } else {
                    throw new Violation(
                            Violation.Kind.SNAPSHOT_IMMUTABLE,
                            "blocks from " + first + " of a held snapshot changed after it was deleted");
                }
            });
        }
    }

    /** Somebody who reads one block. */
    private final class Reader {
        private final int session;
        private final VolumePort port;
        private final SimLoop loop;
        private final int block;
        private final long pauseNanos;
        private int left = READS_MAX;

        Reader(int session, VolumePort port, SimLoop loop, int block, long pauseNanos) {
            this.session = session;
            this.port = port;
            this.loop = loop;
            this.block = block;
            this.pauseNanos = pauseNanos;
        }

        void next() {
            if (left-- > 0) {
                long time = scheduler.now() + random.between(50_000L, pauseNanos);
                loop.process().at(time, () -> loop.execute(this::read));
            }
        }

        private void read() {
            if (stopped) {
                return;
            }
            Operation read = history.read(session, block, 1);
            ByteBuffer target = buffer(BLOCK);
            port.read((long) block * BLOCK, target, failure -> {
                if (failure == null) {
                    history.confirmedRead(read, decode(target, block, 1));
                    next();
                } else {
                    history.failed(read);
                }
            });
        }
    }

    /** Reads the volume, lists and reads its snapshots, flushes. */
    private final class Survey {
        private static final int STEP_BLOCKS = 64;

        private final int session;
        private final VolumePort port;
        private final Runnable done;
        private final List<String> names = new ArrayList<>();
        private int outstanding = 1;

        Survey(int session, VolumePort port, Runnable done) {
            this.session = session;
            this.port = port;
            this.done = done;
        }

        void begin() {
            Operation list = history.snapshotList(session);
            Operation size = history.size(session);
            sizeBlocks = (int) (port.sizeBytes() / BLOCK);
            port.snapshots((found, failure) -> {
                if (failure == null) {
                    names.addAll(found);
                    history.confirmedList(list, bits(found));
                    history.confirmedSize(size, sizeBlocks);
                } else {
                    history.failed(list);
                    history.failed(size);
                    failedInSurvey++;
                }
                readAll();
            });
        }

        private long bits(List<String> found) {
            long bits = 0;
            for (String name : found) {
                bits |= 1L << index(name);
            }
            return bits;
        }

        private void readAll() {
            for (int first = 0; first < sizeBlocks; first += STEP_BLOCKS) {
                int from = first;
                int count = Math.min(STEP_BLOCKS, sizeBlocks - first);
                Operation read = history.read(session, from, count);
                ByteBuffer target = buffer(count * BLOCK);
                outstanding++;
                port.read((long) from * BLOCK, target, failure -> arrived(read, target, failure));
                for (String name : names) {
                    Operation snapshotRead = history.snapshotRead(session, index(name), from, count);
                    ByteBuffer snapshotTarget = buffer(count * BLOCK);
                    outstanding++;
                    port.readSnapshot(
                            name,
                            (long) from * BLOCK,
                            snapshotTarget,
                            failure -> arrived(snapshotRead, snapshotTarget, failure));
                }
            }
            Operation flush = history.flush(session);
            outstanding++;
            port.flush(failure -> {
                if (failure == null) {
                    history.confirmed(flush);
                } else {
                    history.failed(flush);
                }
                one();
            });
            one();
        }

        private int index(String name) {
            return Integer.parseInt(name.substring(1));
        }

        private void arrived(Operation read, ByteBuffer target, @Nullable Throwable failure) {
            if (failure == null) {
                history.confirmedRead(read, decode(target, read.firstBlock(), read.blocks()));
            } else {
                history.failed(read);
                failedInSurvey++;
            }
            one();
        }

        private void one() {
            if (--outstanding == 0) {
                done.run();
            }
        }
    }
}
