package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.LayerBlocksLayout;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** What an engine says to rebuild a replica from another one: the changes of both beyond the common point. */
final class RebuildConversation {
    private final ScriptedEngine source;
    private final ScriptedEngine target;
    private final long session;
    private final long common;
    private final boolean mayHaveOwn;
    private final List<Message.Layer> layers;
    /** What the target was asked for and has not answered. */
    long request;

    RebuildConversation(
            ScriptedEngine source, ScriptedEngine target, Message.FenceOk state, long common, long session) {
        this.source = source;
        this.target = target;
        this.session = session;
        this.common = state.mixed() ? Math.min(common, state.commonSequence()) : common;
        mayHaveOwn = state.mixed() || state.lastSequence() > this.common;
        layers = source.status().layers();
    }

    Message.RebuildBegin plan() {
        return new Message.RebuildBegin(
                target.epoch,
                session,
                common,
                source.sequence,
                source.epoch,
                source.blocks() * 4096L,
                source.rig().replica(source.replicaId).history(),
                layers);
    }

    RebuildConversation begin() {
        Message.RebuildBegin plan = plan();
        target.history = new ArrayList<>(source.history);
        target.sequence = source.sequence;
        target.committed = source.committed;
        // What it told before was of a history that it drops.
        target.journaled = Math.min(target.journaled, source.sequence);
        target.ask(plan, Message.Done.class);
        return this;
    }

    RebuildConversation copy() {
        for (Message.Layer layer : layers) {
            List<Long> own = mayHaveOwn ? ownChanges(layer.id()) : List.of();
            forwardAll(new Message.LayerRead(layer.id(), common, 0, source.blocks(), List.of()));
            for (int from = 0; from < own.size(); from += 64) {
                forwardAll(new Message.LayerRead(
                        layer.id(), 0, 0, source.blocks(), own.subList(from, Math.min(own.size(), from + 64))));
            }
        }
        return this;
    }

    private List<Long> ownChanges(LayerId layer) {
        List<Long> blocks = new ArrayList<>();
        for (long from = 0; from >= 0; ) {
            Message.MapPage page = target.ask(
                    new Message.MapQuery(Message.MapMode.OWN, layer, 0, LayerId.LIVE, common, from, source.blocks()),
                    Message.MapPage.class);
            for (Message.MapRun run : page.runs()) {
                for (long i = 0; i < run.blocks(); i++) {
                    blocks.add(run.firstBlock() + i);
                }
            }
            from = page.nextBlock();
        }
        return blocks;
    }

    private void forwardAll(Message.LayerRead wanted) {
        for (long from = wanted.fromBlock(); from >= 0; ) {
            long id = source.ask(new Message.LayerRead(
                    wanted.layer(), wanted.sinceSequence(), from, wanted.toBlock(), wanted.blocks()));
            ByteBuffer found = source.reads.remove(id);
            assertThat(found).as("blocks of " + wanted).isNotNull();
            forward(found);
            from = wanted.blocks().isEmpty() ? LayerBlocksLayout.nextBlock(found, 0) : -1;
        }
    }

    /** One frame, and the target's word that it took it. */
    private void forward(ByteBuffer found) {
        send(found);
        assertThat(target.answers.get(request)).isInstanceOf(Message.RebuildProgress.class);
    }

    /** One frame. */
    void send(ByteBuffer found) {
        int length = FrameLayout.frameLength(found, 0);
        FrameBuffer frame = target.pool().acquire(length);
        frame.bytes().put(0, found, 0, length);
        frame.length(length);
        request = target.nextRequest();
        LayerBlocksLayout.readdress(frame.bytes(), 0, target.epoch, request, session);
        target.deliver(frame);
        target.rig().run();
    }

    RebuildConversation end() {
        target.ask(new Message.RebuildEnd(session, target.sequence), Message.Done.class);
        return this;
    }

    RebuildConversation join() {
        target.ask(new Message.Joined(session, target.recordVersion + 1), Message.Done.class);
        return this;
    }
}
