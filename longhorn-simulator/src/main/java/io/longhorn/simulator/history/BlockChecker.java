package io.longhorn.simulator.history;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Judges the history of one block, its content in the head and in every snapshot: keeps all states that it can be in after each
 * event, each with the set of running operations that have taken effect in it; when none is left, what was told is impossible.
 * The block behind the last one stands for the volume's size and which snapshots exist.
 */
final class BlockChecker {
    /** States looked at beyond which a block counts as undecided. */
    private static final int STATES_MAX = 10_000;

    private static final int RUNNING_MAX = 62;
    private static final int ABSENT = -1;
    private static final int DELETED = -2;

    private final History history;
    private final BlockContents contents;
    private final int block;
    private final boolean isStructure;
    private final @Nullable Operation[] running = new @Nullable Operation[RUNNING_MAX];
    private Set<Config> configs = new HashSet<>();
    private final BitSet seenWrites = new BitSet();
    private long seenSnapshots;
    private boolean mismatches;
    private boolean sawLoss;
    /** Losses still to come. */
    private int losses;

    /** An effect that may still be lost, over those before it. */
    private static final class Effect {
        private final int[] before;
        private final Operation operation;
        private final @Nullable Effect previous;
        private final int hash;

        Effect(int[] before, Operation operation, @Nullable Effect previous) {
            this.before = before;
            this.operation = operation;
            this.previous = previous;
            this.hash = operation.number + 31 * (previous == null ? Arrays.hashCode(before) : previous.hash);
        }

        static boolean same(@Nullable Effect a, @Nullable Effect b) {
            Effect x = a;
            Effect y = b;
            while (x != y) {
                if (x == null
                        || y == null
                        || x.hash != y.hash
                        || x.operation != y.operation
                        || !Arrays.equals(x.before, y.before)) {
                    return false;
                }
                x = x.previous;
                y = y.previous;
            }
            return true;
        }
    }

    /** A possible state: index 0 the head's content, then each snapshot's. */
    private static final class Config {
        private final int[] state;
        private final long done;
        private final @Nullable Effect effects;
        /** Sessions up to this one lost something here and may confirm nothing that began after {@link #lostAt}. */
        private final int lostSession;

        private final int lostAt;

        Config(int[] state, long done, @Nullable Effect effects, int lostSession, int lostAt) {
            this.state = state;
            this.done = done;
            this.effects = effects;
            this.lostSession = lostSession;
            this.lostAt = lostAt;
        }

        Config with(long nowDone) {
            return nowDone == done ? this : new Config(state, nowDone, effects, lostSession, lostAt);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Config c
                    && done == c.done
                    && lostSession == c.lostSession
                    && lostAt == c.lostAt
                    && Arrays.equals(state, c.state)
                    && Effect.same(effects, c.effects);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(state) * 31
                    + Long.hashCode(done) * 17
                    + lostSession
                    + (effects == null ? 0 : effects.hash);
        }
    }

    BlockChecker(History history, int block) {
        this.history = history;
        this.contents = history.contents();
        this.block = block;
        this.isStructure = block == history.blocks();
        int[] first = new int[1 + history.snapshots()];
        Arrays.fill(first, ABSENT);
        first[0] = isStructure ? history.firstSize() : BlockContents.ZERO;
        configs.add(new Config(first, 0, null, History.NEVER, 0));
        noteSeenWrites();
        for (History.Event event : history.events()) {
            losses += event.kind() == History.EventKind.LOST ? 1 : 0;
        }
    }

    private void noteSeenWrites() {
        for (Operation operation : history.operations()) {
            switch (operation.kind) {
                case SNAPSHOT_READ, SNAPSHOT_DELETE, REVERT -> seenSnapshots |= 1L << operation.value;
                case SNAPSHOT_LIST -> seenSnapshots |= operation.listed;
                default -> {}
            }
            if (operation.contents.length > 0 && operation.kind != Operation.Kind.SIZE && operation.touches(block)) {
                int content = operation.contents[block - operation.firstBlock];
                mismatches |= operation.kind == Operation.Kind.COMPARE_AND_WRITE && operation.isReading();
                for (int cell = 0; cell < BlockContents.CELLS; cell++) {
                    seenWrites.set(contents.cell(content, cell));
                }
            }
        }
    }

    /** Throws a {@link Violation}; returns false if the block could not be decided. */
    boolean check() {
        for (History.Event event : history.events()) {
            Operation operation = event.operation();
            switch (event.kind()) {
                case INVOKED -> {
                    if (concerns(operation) && !invoked(operation)) {
                        return false;
                    }
                }
                case CONFIRMED -> {
                    if (operation.kind == Operation.Kind.FLUSH) {
                        dropLiars(event);
                    } else if (concerns(operation) && !confirmed(event)) {
                        return false;
                    }
                }
                case RESOLVED -> {
                    if (concerns(operation) && !resolved(operation)) {
                        return false;
                    }
                }
                case LOST -> {
                    if (!lost(event)) {
                        return false;
                    }
                }
                case OPENED -> forgetGuilt(event.newestSession());
            }
        }
        return true;
    }

    private boolean concerns(Operation operation) {
        if (operation.kind == Operation.Kind.SNAPSHOT
                && operation.outcome != Operation.Outcome.CONFIRMED
                && (seenSnapshots & 1L << operation.value) == 0) {
            return false;
        }
        if (isStructure) {
            return operation.isStructure()
                    || (operation.outcome == Operation.Outcome.CONFIRMED
                            && (operation.kind == Operation.Kind.SNAPSHOT_LIST
                                    || operation.kind == Operation.Kind.SIZE));
        }
        if (operation.kind == Operation.Kind.FLUSH
                || operation.kind == Operation.Kind.EXPAND
                || operation.kind == Operation.Kind.SIZE
                || operation.kind == Operation.Kind.SNAPSHOT_LIST
                || !operation.touches(block)) {
            return false;
        }
        if (operation.kind == Operation.Kind.READ || operation.kind == Operation.Kind.SNAPSHOT_READ) {
            return operation.outcome == Operation.Outcome.CONFIRMED;
        }
        if (operation.outcome != Operation.Outcome.CONFIRMED
                && (operation.kind == Operation.Kind.WRITE || operation.kind == Operation.Kind.COMPARE_AND_WRITE)) {
            // Nobody saw it: a volume in which it never happened tells the same, unless something must explain a
            // mismatch.
            return mismatches || seenWrites.get(operation.value);
        }
        // Which block of several did not match is not told.
        return !(operation.kind == Operation.Kind.COMPARE_AND_WRITE && operation.isReading() && operation.blocks > 1);
    }

    private boolean invoked(Operation operation) {
        int slot = 0;
        while (slot < RUNNING_MAX && running[slot] != null) {
            slot++;
        }
        if (slot == RUNNING_MAX) {
            return false;
        }
        running[slot] = operation;
        if (operation.isReading()) {
            Set<Config> next = new HashSet<>();
            for (Config config : configs) {
                next.add(looked(config));
            }
            configs = next;
        }
        return true;
    }

    /** The configuration with every running read that fits its state marked as done: a read changes nothing, the earlier the better. */
    private Config looked(Config config) {
        long done = config.done;
        for (int slot = 0; slot < RUNNING_MAX; slot++) {
            Operation read = running[slot];
            if (read != null && (done & 1L << slot) == 0 && read.isReading() && fits(config.state, read)) {
                done |= 1L << slot;
            }
        }
        return config.with(done);
    }

    private boolean fits(int[] state, Operation read) {
        switch (read.kind) {
            case READ -> {
                return state[0] == read.contents[block - read.firstBlock];
            }
            case SNAPSHOT_READ -> {
                return state[1 + read.value] == read.contents[block - read.firstBlock];
            }
            case COMPARE_AND_WRITE -> {
                return !contents.agree(state[0], read.contents[block - read.firstBlock], read.mask(block));
            }
            case SIZE -> {
                return state[0] == read.contents[0];
            }
            case SNAPSHOT_LIST -> {
                for (int i = 1; i < state.length; i++) {
                    if (state[i] >= 0 != ((read.listed & 1L << (i - 1)) != 0)) {
                        return false;
                    }
                }
                return true;
            }
            default -> throw new IllegalStateException("not a read: " + read);
        }
    }

    /** The state after {@code operation}, or null if it cannot take effect in this one. */
    private int @Nullable [] after(int[] state, Operation operation) {
        int[] next = state.clone();
        switch (operation.kind) {
            case WRITE, ZERO -> next[0] = contents.written(state[0], operation.mask(block), operation.value);
            case COMPARE_AND_WRITE -> {
                int mask = operation.mask(block);
                if (!contents.agree(state[0], operation.contents[block - operation.firstBlock], mask)) {
                    return null;
                }
                next[0] = contents.written(state[0], mask, operation.value);
            }
            case SNAPSHOT -> next[1 + operation.value] = isStructure ? 0 : state[0];
            case SNAPSHOT_DELETE -> {
                if (state[1 + operation.value] < 0) {
                    return null;
                }
                next[1 + operation.value] = DELETED;
            }
            case REVERT -> {
                if (state[1 + operation.value] < 0) {
                    return null;
                }
                next[0] = isStructure ? state[0] : state[1 + operation.value];
            }
            case EXPAND -> {
                if (operation.value < state[0]) {
                    return null;
                }
                next[0] = operation.value;
            }
            default -> throw new IllegalStateException("no effect: " + operation);
        }
        return next;
    }

    private boolean confirmed(History.Event event) {
        Operation operation = event.operation();
        int slot = slotOf(operation);
        long bit = 1L << slot;
        Set<Config> seen = new HashSet<>(configs);
        ArrayDeque<Config> work = new ArrayDeque<>(configs);
        Set<Config> next = new HashSet<>();
        while (!work.isEmpty()) {
            Config config = work.removeFirst();
            if ((config.done & bit) != 0) {
                if (!lies(config, operation)) {
                    next.add(shortened(config.with(config.done & ~bit), event));
                }
                continue;
            }
            for (int i = 0; i < RUNNING_MAX; i++) {
                Operation candidate = running[i];
                if (candidate == null || (config.done & 1L << i) != 0 || candidate.isReading()) {
                    continue;
                }
                int[] state = after(config.state, candidate);
                if (state != null) {
                    Config reached = looked(new Config(
                            state,
                            config.done | 1L << i,
                            effect(config, candidate),
                            config.lostSession,
                            config.lostAt));
                    if (seen.add(reached)) {
                        work.addLast(reached);
                    }
                }
            }
            if (seen.size() > STATES_MAX) {
                return false;
            }
        }
        running[slot] = null;
        if (next.isEmpty()) {
            throw impossible(operation);
        }
        configs = next;
        return true;
    }

    private @Nullable Effect effect(Config config, Operation operation) {
        return losses > 0 ? new Effect(config.state, operation, config.effects) : null;
    }

    private int slotOf(Operation operation) {
        for (int slot = 0; slot < RUNNING_MAX; slot++) {
            if (running[slot] == operation) {
                return slot;
            }
        }
        throw new IllegalStateException("not running: " + operation);
    }

    /** Whether a session confirms something although it has lost, here, what it had confirmed. */
    private static boolean lies(Config config, Operation operation) {
        return operation.session <= config.lostSession && operation.invokedAt > config.lostAt;
    }

    /** What earlier sessions lost matters no more: whatever they confirm now began before. */
    private void forgetGuilt(int session) {
        Set<Config> next = new HashSet<>();
        for (Config config : configs) {
            next.add(
                    config.lostSession < session
                            ? new Config(config.state, config.done, config.effects, History.NEVER, 0)
                            : config);
        }
        configs = next;
    }

    private void dropLiars(History.Event event) {
        Set<Config> honest = new HashSet<>();
        for (Config config : configs) {
            if (!lies(config, event.operation())) {
                honest.add(config);
            }
        }
        if (honest.isEmpty()) {
            throw impossible(event.operation());
        }
        configs = honest;
    }

    /** Forgets effects that cannot be lost any more. */
    private Config shortened(Config config, History.Event event) {
        Effect effect = config.effects;
        List<Effect> kept = new ArrayList<>();
        while (effect != null && losses > 0 && canBeLost(effect.operation, event, Integer.MAX_VALUE)) {
            kept.add(effect);
            effect = effect.previous;
        }
        if (effect == null) {
            return config;
        }
        Effect rest = null;
        for (int i = kept.size() - 1; i >= 0; i--) {
            rest = new Effect(kept.get(i).before, kept.get(i).operation, rest);
        }
        return new Config(config.state, config.done, rest, config.lostSession, config.lostAt);
    }

    /**
     * Whether the operation's effect may be gone. One that was not confirmed before may always be. A confirmation can arrive after the replicas
     * that gave it have lost what they confirmed, so it counts when the operation began.
     */
    private static boolean canBeLost(Operation operation, History.Event event, int lostBefore) {
        return !isConfirmedAt(operation, event)
                || (!operation.forced && operation.endedAt > event.durableBefore() && operation.invokedAt < lostBefore);
    }

    private static boolean isConfirmedAt(Operation operation, History.Event event) {
        return operation.outcome == Operation.Outcome.CONFIRMED && operation.endedAt < event.at();
    }

    private boolean resolved(Operation operation) {
        int slot = slotOf(operation);
        // It may have taken effect by now, also in a state nobody has looked at yet.
        Set<Config> reached = reachable();
        Set<Config> next = new HashSet<>();
        for (Config config : reached) {
            next.add(config.with(config.done & ~(1L << slot)));
        }
        running[slot] = null;
        configs = next;
        return reached.size() < STATES_MAX;
    }

    /** Every state that the running operations can have led to by now. */
    private Set<Config> reachable() {
        Set<Config> seen = new HashSet<>(configs);
        ArrayDeque<Config> work = new ArrayDeque<>(configs);
        while (!work.isEmpty() && seen.size() < STATES_MAX) {
            Config config = work.removeFirst();
            for (int i = 0; i < RUNNING_MAX; i++) {
                Operation candidate = running[i];
                if (candidate == null || (config.done & 1L << i) != 0 || candidate.isReading()) {
                    continue;
                }
                int[] state = after(config.state, candidate);
                if (state != null) {
                    Config reached = looked(new Config(
                            state,
                            config.done | 1L << i,
                            effect(config, candidate),
                            config.lostSession,
                            config.lostAt));
                    if (seen.add(reached)) {
                        work.addLast(reached);
                    }
                }
            }
        }
        return seen;
    }

    private boolean lost(History.Event event) {
        sawLoss = true;
        Set<Config> reached = reachable();
        Set<Config> next = new HashSet<>(reached);
        for (Config config : reached) {
            if (next.size() >= 2 * STATES_MAX) {
                return false;
            }
            lose(config, event, next);
        }
        configs = next;
        losses--;
        return true;
    }

    /** Adds every state that the loss can have led to from {@code config}. */
    private void lose(Config config, History.Event event, Set<Config> next) {
        long undone = config.done;
        long confirmedAllTheSame = config.done;
        boolean confirmed = false;
        for (Effect effect = config.effects;
                effect != null && canBeLost(effect.operation, event, event.lostBefore());
                effect = effect.previous) {
            Operation operation = effect.operation;
            confirmed |= isConfirmedAt(operation, event);
            for (int slot = 0; slot < RUNNING_MAX; slot++) {
                if (running[slot] == operation) {
                    undone &= ~(1L << slot);
                    if (operation.forced || operation.invokedAt > event.lostBefore()) {
                        confirmedAllTheSame &= ~(1L << slot);
                    }
                }
            }
            next.add(lostConfig(effect, undone, confirmed, config, event));
            if (confirmedAllTheSame != undone) {
                next.add(lostConfig(effect, confirmedAllTheSame, true, config, event));
            }
        }
    }

    private Config lostConfig(Effect effect, long done, boolean confirmed, Config from, History.Event event) {
        return looked(new Config(
                effect.before,
                done,
                effect.previous,
                confirmed ? Math.max(from.lostSession, event.newestSession()) : from.lostSession,
                confirmed ? event.at() : from.lostAt));
    }

    private Violation impossible(Operation operation) {
        Violation.Kind kind = operation.kind == Operation.Kind.SNAPSHOT_READ
                ? Violation.Kind.SNAPSHOT_IMMUTABLE
                : sawLoss ? Violation.Kind.FLUSHED_SURVIVES : Violation.Kind.LINEARIZABLE;
        StringBuilder what = new StringBuilder();
        what.append(isStructure ? "the list of snapshots and the size" : "block " + block);
        what.append(" cannot be as told by ").append(operation);
        if (!isStructure && operation.contents.length > 0) {
            int content = operation.contents[block - operation.firstBlock];
            what.append(", which says ").append(contents.describe(content));
        }
        what.append("; possible before:");
        for (Config config : configs) {
            int[] state = config.state;
            what.append("\n  ")
                    .append(isStructure ? "size " + state[0] : contents.describe(state[0]))
                    .append(" snapshots ")
                    .append(Arrays.toString(Arrays.copyOfRange(state, 1, state.length)));
            if (config.lostSession != History.NEVER) {
                what.append(" after a loss at ").append(config.lostAt).append(" that session ");
                what.append(config.lostSession).append(" has to admit");
            }
        }
        what.append("\nhistory of it:");
        for (History.Event event : history.events()) {
            if (event.kind() == History.EventKind.LOST) {
                what.append("\n  ")
                        .append(event.at())
                        .append(" every replica of the view has lost what was confirmed after ");
                what.append(event.durableBefore()).append(" and before ").append(event.lostBefore());
            } else if (event.kind() == History.EventKind.INVOKED
                    && event.operation().invokedAt <= operation.endedAt
                    && (concerns(event.operation()) || event.operation().kind == Operation.Kind.FLUSH)) {
                what.append("\n  ").append(event.operation());
            }
        }
        return new Violation(kind, what.toString());
    }
}
