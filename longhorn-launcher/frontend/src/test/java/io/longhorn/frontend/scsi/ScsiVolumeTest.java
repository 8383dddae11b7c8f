package io.longhorn.frontend.scsi;

import static io.longhorn.frontend.scsi.Initiator.blocks;
import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.HeldSnapshot;
import io.longhorn.Longhorn;
import io.longhorn.Volume;
import io.longhorn.VolumeSpec;
import io.longhorn.frontend.BlockDevice;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that need more of a device than bytes, on a real volume. */
class ScsiVolumeTest {

    @Test
    void aVolumeIsAThinDisk(@TempDir Path directory) {
        try (Longhorn longhorn = Longhorn.embedded(directory);
                Volume volume = longhorn.create(
                        VolumeSpec.named("disk").sizeBytes(16 << 20).build());
                ScsiTarget target = new ScsiTarget(
                        ScsiTargetSpec.of("iqn.test:disk", BlockDevice.of(volume), ReservationStore.NONE))) {
            Initiator initiator = Initiator.settled(target, "a");
            initiator.write10(3, blocks(20, 0x21)).isGood();
            assertThat(initiator.read10(3, 20).isGood().data()).isEqualTo(blocks(20, 0x21));
            initiator.send("2e 02 00000100 00 0100 00", blocks(256, 0x22)).isGood();
            initiator.send("8f 06 0000000000000100 00000100 00 00", blocks(1, 0x22)).isGood();
            initiator.send("8b 00 0000000000000100 00000100 00 00", blocks(256, 0x44)).isGood();
            assertThat(initiator.read10(0x100, 256).data()).isEqualTo(blocks(256, 0x66));
            byte[] both = ByteBuffer.allocate(1024).put(blocks(1, 0x66)).put(blocks(1, 1)).array();
            initiator.send("89 08 0000000000000101 000000 01 00 00", both).isGood();
            initiator.send("89 08 0000000000000101 000000 01 00 00", both).fails(SenseCode.MISCOMPARE_DURING_VERIFY);
            initiator.send("93 00 0000000000001000 00001000 00 00", blocks(1, 7)).isGood();
            assertThat(initiator.read10(0x1fff, 1).data()).isEqualTo(blocks(1, 7));
            initiator.send("42 00 00000000 00 0018 00", HexFormat.of().parseHex("0016001000000000" + "000000000000010000000100" + "00000000"))
                    .isGood();
            assertThat(initiator.read10(0x100, 256).data()).isEqualTo(blocks(256, 0));
            assertThat(initiator.send("9e 12 0000000000000102 00000018 00 00").isGood().hex())
                    .startsWith("00000014000000000000000000000102")
                    .endsWith("01000000");
            initiator.send("35 00 00000000 00 0000 00").isGood();
            volume.expandTo(32 << 20);
            initiator.send("00 00 00 00 00 00").fails(SenseCode.CAPACITY_DATA_HAS_CHANGED);
            initiator.write10(0xffff, blocks(1, 9)).isGood();
        }
    }

    @Test
    void aSnapshotIsAWriteProtectedDisk(@TempDir Path directory) {
        try (Longhorn longhorn = Longhorn.embedded(directory);
                Volume volume = longhorn.create(
                        VolumeSpec.named("disk").sizeBytes(1 << 20).build())) {
            volume.write(0, ByteBuffer.wrap(blocks(8, 5)));
            try (HeldSnapshot held = volume.snapshot("before").hold();
                    ScsiTarget target = new ScsiTarget(
                            ScsiTargetSpec.of("iqn.test:disk", BlockDevice.of(held), ReservationStore.NONE))) {
                volume.write(0, ByteBuffer.wrap(blocks(8, 6)));
                Initiator initiator = Initiator.settled(target, "a");
                assertThat(initiator.read10(0, 8).isGood().data()).isEqualTo(blocks(8, 5));
                initiator.write10(0, blocks(1, 1)).fails(SenseCode.WRITE_PROTECTED);
                assertThat(initiator.send("9e 12 0000000000000000 00000018 00 00").isGood().hex())
                        .endsWith("0000000000000000" + "00000008" + "00000000");
            }
        }
    }
}
