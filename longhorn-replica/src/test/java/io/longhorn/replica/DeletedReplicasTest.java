package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.replica.disk.DiskFile;
import io.longhorn.replica.wire.Message;
import java.io.IOException;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class DeletedReplicasTest {
    private static final UUID OTHER = new UUID(0xABCDEF, 1);

    private final ReplicaRig rig = new ReplicaRig();

    @Test
    void deletedReplicaLeavesNothing() throws IOException {
        rig.start();
        ScriptedEngine engine = rig.engine(1).open();
        ScriptedEngine other = rig.engine(1);
        other.replicaId = OTHER;
        other.hello().create();
        other.ask(new Message.DeleteReplica(1, ReplicaRig.VOLUME, OTHER), Message.Done.class);
        rig.quiet();
        assertThat(rig.memory.list("replicas")).hasSize(1);
        engine.write(1, 11);
        engine.settle();
        engine.assertContent();
    }

    @Test
    void largeFileIsShortenedInStepsWhichOthersCanComeBetween() throws IOException {
        rig.start();
        rig.memory.createDirectories("replicas/old-1");
        try (DiskFile file = rig.memory.open("replicas/old-1/layer.data", true)) {
            file.truncate(3 * DeletedReplicas.STEP_BYTES + 1);
        }
        rig.memory.put("replicas/old-1/layer.map", new byte[1]);
        int syncsBefore = rig.memory.syncs;
        rig.start();
        // Three times shorter, the two files and the directory deleted.
        assertThat(rig.memory.syncs - syncsBefore).isGreaterThanOrEqualTo(6);
        assertThat(rig.memory.list("replicas")).isEmpty();
    }

    @Test
    void newReplicaIsNotMadeInWhatIsLeftOfAnother() throws IOException {
        rig.start();
        rig.memory.createDirectories(ReplicaRig.PLACE);
        rig.memory.put(ReplicaRig.PLACE + "/layer.data", new byte[1]);
        ScriptedEngine unused = rig.engine(1).hello().create();
        assertThat(rig.memory.list("replicas")).containsExactly("vol-55556666", "vol-55556666-2");
        assertThat(rig.memory.exists(ReplicaRig.PLACE + "-2/" + ReplicaMeta.FILE))
                .isTrue();
    }
}
