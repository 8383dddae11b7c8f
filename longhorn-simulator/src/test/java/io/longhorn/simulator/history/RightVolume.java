package io.longhorn.simulator.history;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A volume in memory with random callers: operations take effect at one moment between invocation and answer. */
final class RightVolume {
    private static final int BLOCKS = 3;
    private static final int STEPS = 120;

    private final Random random;
    private final History history = new History(BLOCKS, BLOCKS);
    private final BlockContents contents = history.contents();
    private final List<Running> running = new ArrayList<>();
    private final List<int[]> versions = new ArrayList<>();
    private final List<int[]> snapshots = new ArrayList<>();
    private int[] head = new int[BLOCKS];
    private int session = 1;
    private int durableVersion;
    int liesAt = Integer.MAX_VALUE;

    private static final class Running {
        private final Operation operation;
        private boolean happened;
        private int[] seen = new int[0];

        Running(Operation operation) {
            this.operation = operation;
        }
    }

    RightVolume(Random random) {
        this.random = random;
    }

    void run() {
        history.view(0b1);
        history.opened(session);
        for (int step = 0; step < STEPS; step++) {
            int choice = random.nextInt(100);
            if (choice < 40 && running.size() < 5) {
                running.add(new Running(invoke()));
            } else if (choice < 65 && !running.isEmpty()) {
                happen(running.get(random.nextInt(running.size())));
            } else if (choice < 96 && !running.isEmpty()) {
                end(running.remove(random.nextInt(running.size())), step);
            } else if (choice >= 98) {
                reopen(random.nextBoolean());
            }
        }
        reopen(false);
        Operation read = history.read(session, 0, BLOCKS);
        history.confirmedRead(read, head);
        if (history.check() != 0) {
            throw new IllegalStateException("undecided");
        }
    }

    private Operation invoke() {
        int choice = random.nextInt(20);
        if (choice < 7) {
            int first = random.nextInt(BLOCKS);
            return history.read(session, first, 1 + random.nextInt(BLOCKS - first));
        }
        if (choice < 16) {
            int first = random.nextInt(BLOCKS * BlockContents.CELLS);
            int cells = 1 + random.nextInt(BLOCKS * BlockContents.CELLS - first);
            return choice < 9
                    ? history.zero(session, first, cells, false)
                    : history.write(session, first, cells, random.nextInt(8) == 0);
        }
        if (choice == 16) {
            return history.flush(session);
        }
        if (choice == 17 && snapshots.size() < 10) {
            snapshots.add(null);
            return history.snapshot(session);
        }
        int made = snapshots.isEmpty() ? -1 : random.nextInt(snapshots.size());
        if (made >= 0 && snapshots.get(made) != null) {
            return choice == 18 ? history.revert(session, made) : history.snapshotRead(session, made, 0, BLOCKS);
        }
        return history.read(session, 0, 1);
    }

    private void happen(Running r) {
        if (r.happened) {
            return;
        }
        r.happened = true;
        Operation o = r.operation;
        int[] next = head.clone();
        switch (o.kind()) {
            case READ -> r.seen = java.util.Arrays.copyOfRange(head, o.firstBlock, o.firstBlock + o.blocks);
            case SNAPSHOT_READ -> r.seen = snapshots.get(o.value).clone();
            case SNAPSHOT -> snapshots.set(o.value, head.clone());
            case REVERT -> next = snapshots.get(o.value).clone();
            case FLUSH -> durableVersion = versions.size();
            default -> {
                for (int b = o.firstBlock; b < o.firstBlock + o.blocks; b++) {
                    next[b] = contents.written(head[b], o.mask(b), o.value);
                }
            }
        }
        versions.add(head);
        head = next;
        if (o.forced || o.isStructure()) {
            durableVersion = versions.size();
        }
    }

    private void end(Running r, int step) {
        if (random.nextInt(10) == 0) {
            history.failed(r.operation);
            if (random.nextBoolean()) {
                happen(r);
            }
            return;
        }
        happen(r);
        boolean isRead =
                r.operation.kind() == Operation.Kind.READ || r.operation.kind() == Operation.Kind.SNAPSHOT_READ;
        if (isRead) {
            if (step >= liesAt) {
                liesAt = Integer.MAX_VALUE;
                r.seen[0] = contents.written(r.seen[0], 1, 1_000_000);
            }
            history.confirmedRead(r.operation, r.seen);
        } else {
            history.confirmed(r.operation);
        }
    }

    private void reopen(boolean powerLoss) {
        if (powerLoss) {
            history.lost(0);
            int back = durableVersion + random.nextInt(versions.size() - durableVersion + 1);
            if (back < versions.size()) {
                head = versions.get(back);
                versions.subList(back, versions.size()).clear();
            }
        }
        history.died(session);
        running.clear();
        session++;
        history.opened(session);
        durableVersion = Math.min(durableVersion, versions.size());
    }
}
