package io.longhorn.simulator.history;

import java.util.List;

/**
 * A snapshot is one moment of the whole volume: if it holds a write, it holds every write that was confirmed before that one began. The
 * blocks' own histories cannot tell, because each alone may put the snapshot earlier or later.
 */
final class SnapshotCutChecker {
    private final History history;
    private final List<Operation> operations;

    SnapshotCutChecker(History history) {
        this.history = history;
        this.operations = history.operations();
    }

    void check() {
        for (History.Event event : history.events()) {
            if (event.kind() == History.EventKind.LOST) {
                // What a power failure left is not a cut of what callers were told.
                return;
            }
        }
        for (Operation operation : operations) {
            if (operation.kind == Operation.Kind.SNAPSHOT && operation.outcome == Operation.Outcome.CONFIRMED) {
                checkSnapshot(operation);
            }
        }
    }

    private void checkSnapshot(Operation snapshot) {
        int[] seen = new int[history.blocks()];
        java.util.Arrays.fill(seen, -1);
        for (Operation read : operations) {
            if (read.kind == Operation.Kind.SNAPSHOT_READ
                    && read.outcome == Operation.Outcome.CONFIRMED
                    && read.value == snapshot.value) {
                System.arraycopy(read.contents, 0, seen, read.firstBlock, read.blocks);
            }
        }
        Operation newest = newestHeld(seen);
        if (newest == null || revertedBefore(snapshot)) {
            return;
        }
        for (Operation write : operations) {
            if ((write.kind == Operation.Kind.WRITE)
                    && write.outcome == Operation.Outcome.CONFIRMED
                    && write.endedAt < newest.invokedAt) {
                checkHeld(snapshot, seen, write, newest);
            }
        }
    }

    private @org.jspecify.annotations.Nullable Operation newestHeld(int[] seen) {
        Operation newest = null;
        for (int content : seen) {
            for (int cell = 0; content > 0 && cell < BlockContents.CELLS; cell++) {
                int id = history.contents().cell(content, cell);
                if (id > 0 && (newest == null || operations.get(id - 1).invokedAt > newest.invokedAt)) {
                    newest = operations.get(id - 1);
                }
            }
        }
        return newest;
    }

    private boolean revertedBefore(Operation snapshot) {
        for (Operation operation : operations) {
            if (operation.kind == Operation.Kind.REVERT && operation.invokedAt < snapshot.endedAt) {
                return true;
            }
        }
        return false;
    }

    private void checkHeld(Operation snapshot, int[] seen, Operation write, Operation newest) {
        for (int block = write.firstBlock; block < write.firstBlock + write.blocks; block++) {
            int mask = write.mask(block);
            for (int cell = 0; seen[block] >= 0 && cell < BlockContents.CELLS; cell++) {
                if ((mask & 1 << cell) != 0
                        && isOlder(history.contents().cell(seen[block], cell), write, block, cell)) {
                    throw new Violation(
                            Violation.Kind.SNAPSHOT_IMMUTABLE,
                            snapshot + " is no moment of the volume: it holds " + newest + " but not " + write
                                    + ", which was confirmed before that began");
                }
            }
        }
    }

    private boolean isOlder(int id, Operation write, int block, int cell) {
        if (id > 0) {
            Operation found = operations.get(id - 1);
            return found != write && found.outcome == Operation.Outcome.CONFIRMED && found.endedAt < write.invokedAt;
        }
        for (Operation zero : operations) {
            if (zero.kind == Operation.Kind.ZERO
                    && zero.touches(block)
                    && (zero.mask(block) & 1 << cell) != 0
                    && zero.endedAt > write.invokedAt) {
                return false;
            }
        }
        return true;
    }
}
