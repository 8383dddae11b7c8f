package io.longhorn.engine;

import io.longhorn.ErrorCode;
import io.longhorn.LonghornException;
import io.longhorn.SnapshotNotFoundException;
import io.longhorn.VolumeFaultedException;
import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Asks a member of the view for its block maps or its state, and another one when that one goes or refuses. Engine loop only. */
final class MapQueries {
    private final EngineCore core;
    /** Those without a replica to ask. */
    private final List<Question<?>> waiting = new ArrayList<>();

    MapQueries(EngineCore core) {
        this.core = core;
    }

    /** Gives {@code answered} an answer of that kind, or {@code failed} the reason why there is none. */
    <M extends Message> void ask(
            Message question, Class<M> kind, Consumer<M> answered, Consumer<LonghornException> failed) {
        LonghornException over = core.failure();
        if (over != null) {
            failed.accept(over);
            return;
        }
        new Question<>(question, kind, answered, failed).send();
        core.armTick();
    }

    boolean isWaiting() {
        return !waiting.isEmpty();
    }

    /** A replica can be asked again. */
    void sourceReturned() {
        if (!waiting.isEmpty()) {
            List<Question<?>> again = new ArrayList<>(waiting);
            waiting.clear();
            again.forEach(Question::send);
        }
    }

    void tick() {
        sourceReturned();
        long now = core.loop.nanoTime();
        List<Question<?>> late = new ArrayList<>(waiting);
        late.removeIf(question -> now - question.startedNanos <= core.settings.operationNanos());
        waiting.removeAll(late);
        late.forEach(question -> question.failed.accept(core.timeLimit("MAP_QUERY")));
    }

    void failAll(LonghornException cause) {
        List<Question<?>> all = new ArrayList<>(waiting);
        waiting.clear();
        all.forEach(question -> question.failed.accept(cause));
    }

    private final class Question<M extends Message> implements RequestTable.Reply {
        private final Message question;
        private final Class<M> kind;
        private final Consumer<M> answered;
        final Consumer<LonghornException> failed;
        final long startedNanos = core.loop.nanoTime();
        private final List<ReplicaLink> tried = new ArrayList<>(0);
        private @Nullable LonghornException refusal;

        Question(Message question, Class<M> kind, Consumer<M> answered, Consumer<LonghornException> failed) {
            this.question = question;
            this.kind = kind;
            this.answered = answered;
            this.failed = failed;
        }

        void send() {
            ReplicaLink link = core.view.chooseReadable(tried);
            if (link != null) {
                link.request(question, this);
            } else if (core.view.hasOthers(tried)) {
                waiting.add(this);
            } else {
                failed.accept(
                        refusal != null
                                ? refusal
                                : new VolumeFaultedException(core.volumeName(), "no replica can be asked"));
            }
        }

        @Override
        public void onReply(ReplicaLink link, FrameType type, ByteBuffer b, int at) {
            Message answer = MessageCodec.decode(b, at);
            if (kind.isInstance(answer)) {
                answered.accept(kind.cast(answer));
            } else {
                tried.add(link);
                refusal = refusalOf(link, type, answer);
                send();
            }
        }

        private LonghornException refusalOf(ReplicaLink link, FrameType type, Message answer) {
            if (!(answer instanceof Message.Failure failure)) {
                return new VolumeFaultedException(core.volumeName(), link + " answered a question with " + type);
            }
            return failure.code() == ErrorCode.SNAPSHOT_NOT_FOUND.number()
                            || failure.code() == ErrorCode.PIN_NOT_HELD.number()
                    ? new SnapshotNotFoundException(core.volumeName(), failure.detail())
                    : new VolumeFaultedException(
                            core.volumeName(),
                            link + " refused a question with code " + failure.code() + ": " + failure.detail());
        }

        @Override
        public void onLost(ReplicaLink link) {
            LonghornException over = core.failure();
            if (over == null) {
                waiting.add(this);
                core.armTick();
            } else {
                failed.accept(over);
            }
        }
    }
}
