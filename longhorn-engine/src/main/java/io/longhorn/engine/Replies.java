package io.longhorn.engine;

import io.longhorn.replica.wire.FrameType;
import io.longhorn.replica.wire.Message;
import io.longhorn.replica.wire.MessageCodec;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/** Replies made of functions, for requests off the hot path. */
final class Replies {
    private Replies() {}

    /** For requests whose outcome shows elsewhere, or does not matter. */
    static RequestTable.Reply ignored() {
        return expecting(Message.Done.class, done -> {}, refused -> {});
    }

    /** Calls {@code answered} for a message of that type, {@code failed} with the reason for anything else. */
    static <M extends Message> RequestTable.Reply expecting(
            Class<M> expected, Consumer<M> answered, Consumer<String> failed) {
        return new RequestTable.Reply() {
            @Override
            public void onReply(ReplicaLink link, FrameType type, ByteBuffer b, int at) {
                Message message = MessageCodec.decode(b, at);
                if (expected.isInstance(message)) {
                    answered.accept(expected.cast(message));
                } else if (message instanceof Message.Failure failure) {
                    failed.accept(link + " refused with code " + failure.code() + ": " + failure.detail());
                } else {
                    failed.accept(link + " answered " + type + " where " + expected.getSimpleName() + " was expected");
                }
            }

            @Override
            public void onLost(ReplicaLink link) {
                failed.accept("connection to " + link + " lost");
            }
        };
    }
}
