package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.Durability;
import io.longhorn.VolumeLimits;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class ReplicaMakingTest {
    private static final long SECOND = 1_000_000_000;
    private static final ReplicaMaking.Limits LIMITS = new ReplicaMaking.Limits(5 * SECOND, 30 * SECOND);

    private final TurnLoop loop = new TurnLoop();
    private final ScriptedReplica server = new ScriptedReplica(loop, "r:1", new UUID(1, 1));

    private CompletableFuture<String> make() {
        ReplicaRecord replica = new ReplicaRecord(server.id, server.endpoint);
        VolumeRecord record = new VolumeRecord(
                1,
                "vol",
                new UUID(2, 2),
                1 << 20,
                Durability.ON_FLUSH,
                1,
                1,
                VolumeLimits.NONE,
                Map.of(),
                0,
                0,
                VolumeRecord.NO_ENGINE,
                List.of(replica),
                List.of(server.id),
                Optional.empty());
        return ReplicaMaking.make(
                        loop,
                        ScriptedReplica.connector(loop, List.of(server)),
                        new MemoryRegistry(),
                        "",
                        record,
                        replica,
                        LIMITS)
                .toCompletableFuture();
    }

    @Test
    void aServerWhoseDiskIsSlowIsWaitedFor() {
        server.makingNanos = 20 * SECOND;
        CompletableFuture<String> outcome = make();
        loop.pass(19 * SECOND);
        assertThat(outcome).isNotDone();
        loop.pass(2 * SECOND);
        assertThat(outcome).isCompletedWithValue("");
    }

    @Test
    void aServerWhoseDiskStandsStillIsGivenUp() {
        server.makingNanos = 300 * SECOND;
        CompletableFuture<String> outcome = make();
        loop.pass(31 * SECOND);
        assertThat(outcome).isCompletedWithValue("no answer within 30000 ms []");
    }

    @Test
    void aServerThatDoesNotGreetIsSoonGivenUp() {
        server.mute = true;
        CompletableFuture<String> outcome = make();
        loop.pass(6 * SECOND);
        assertThat(outcome).isCompletedWithValue("no answer within 5000 ms []");
    }
}
