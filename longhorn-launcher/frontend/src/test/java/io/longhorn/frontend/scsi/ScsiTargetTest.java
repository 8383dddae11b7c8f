package io.longhorn.frontend.scsi;

import static io.longhorn.frontend.scsi.Initiator.blocks;
import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.DamagedBlockException;
import io.longhorn.DiskFullException;
import io.longhorn.FencedException;
import io.longhorn.TooFewReplicasException;
import io.longhorn.frontend.MemoryDevice;
import io.longhorn.frontend.scsi.Initiator.Answer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ScsiTargetTest {

    private static final String NAME = "iqn.2026-01.io.longhorn:disk";
    private static final int SIZE_BYTES = 4 << 20;
    private static final int LAST_LBA = SIZE_BYTES / 512 - 1;
    private static final String TEST_UNIT_READY = "000000000000";

    private final MemoryDevice device = new MemoryDevice(SIZE_BYTES);
    private final ScsiTarget target = new ScsiTarget(ScsiTargetSpec.of(NAME, device, ReservationStore.NONE));
    private final Initiator initiator = Initiator.settled(target, "a");

    @AfterEach
    void close() {
        target.close();
        assertThat(device.listeners()).isZero();
    }

    // ------------------------------------------------------------------ what the unit is

    @Test
    void inquiryNamesADirectAccessDeviceOfSbc3() {
        byte[] data = initiator.send("12 00 00 0100 00").isGood().data();
        assertThat(data).hasSize(96);
        assertThat(HexFormat.of().formatHex(data, 0, 8)).isEqualTo("000006125b000002");
        assertThat(new String(data, 8, 28, StandardCharsets.US_ASCII)).isEqualTo("LONGHORNVOLUME          0001");
        assertThat(HexFormat.of().formatHex(data, 58, 66)).isEqualTo("00a0046004c00960");
    }

    @Test
    void inquiryGivesNoMoreThanWasAskedFor() {
        assertThat(initiator.send("12 00 00 0005 00").isGood().data()).hasSize(5);
        assertThat(initiator.send("12 00 00 0000 00").isGood().data()).isEmpty();
    }

    @Test
    void everyPageOfVitalProductDataThatIsListedCanBeRead() {
        byte[] listed = initiator.send("12 01 00 00ff 00").isGood().data();
        assertThat(HexFormat.of().formatHex(listed)).isEqualTo("00000007008083" + "86b0b1b2");
        for (int i = 4; i < listed.length; i++) {
            Answer page = initiator
                    .send(String.format("12 01 %02x 00ff 00", listed[i]))
                    .isGood();
            assertThat(page.data()[1]).isEqualTo(listed[i]);
            assertThat(page.data()).hasSize(4 + Cdb.u16(page.data(), 2));
        }
        initiator.send("12 01 81 00ff 00").fails(SenseCode.INVALID_FIELD_IN_CDB);
        initiator.send("12 00 80 00ff 00").fails(SenseCode.INVALID_FIELD_IN_CDB);
    }

    @Test
    void identificationNamesUnitPortAndTarget() {
        byte[] page = initiator.send("12 01 83 00ff 00").isGood().data();
        String text = new String(page, StandardCharsets.ISO_8859_1);
        assertThat(text)
                .contains("LONGHORN" + device.id().toString().replace("-", ""), NAME + ",t,0x0001\0", NAME + "\0");
        assertThat(HexFormat.of().formatHex(page, 4, 8)).isEqualTo("01030008");
        assertThat(page[8] >> 4).as("NAA, locally assigned").isEqualTo(3);
    }

    @Test
    void blockLimitsTellWhatIsEnforced() {
        ByteBuffer page =
                ByteBuffer.wrap(initiator.send("12 01 b0 00ff 00").isGood().data());
        assertThat(page.get(5) & 0xff).isEqualTo(128);
        assertThat(page.getShort(6)).isEqualTo((short) 8);
        assertThat(page.getInt(8)).isEqualTo(8192);
        device.grow(2 * SIZE_BYTES);
        initiator.send(TEST_UNIT_READY).fails(SenseCode.CAPACITY_DATA_HAS_CHANGED);
        initiator.send("28 00 00000000 00 2001 00").fails(SenseCode.INVALID_FIELD_IN_CDB);
        initiator.send("28 00 00000000 00 2000 00").isGood();
    }

    @Test
    void capacityIsToldInBothSizesAndCanGrow() {
        assertThat(initiator.send("25 00 00000000 0000 00 00").isGood().hex())
                .isEqualTo(String.format("%08x00000200", LAST_LBA));
        assertThat(initiator
                        .send("9e 10 0000000000000000 00000020 00 00")
                        .isGood()
                        .hex())
                .startsWith(String.format("%016x000002000000c000", LAST_LBA));
        device.grow(2 * SIZE_BYTES);
        initiator.send(TEST_UNIT_READY).fails(SenseCode.CAPACITY_DATA_HAS_CHANGED);
        assertThat(initiator.send("25 00 00000000 0000 00 00").isGood().hex())
                .isEqualTo(String.format("%08x00000200", 2 * LAST_LBA + 1));
        initiator.send("25 00 00000001 0000 00 00").fails(SenseCode.INVALID_FIELD_IN_CDB);
    }

    @Test
    void physicalBlocksAreToldAsTheyAreSet() {
        ScsiTargetSpec spec = new ScsiTargetSpec(NAME, 1, device, ReservationStore.NONE, 4096);
        try (ScsiTarget other = new ScsiTarget(spec)) {
            byte[] data = Initiator.settled(other, "a")
                    .send("9e 10 0000000000000000 00000020 00 00")
                    .data();
            assertThat(data[13]).isEqualTo((byte) 3);
        }
    }

    @Test
    void unitsAreListedOnLunZeroWhichHasNoDevice() {
        assertThat(initiator
                        .send(0, "a0 00 00 000000 00000100 00 00", new byte[0], 0)
                        .isGood()
                        .hex())
                .isEqualTo("0000000800000000" + "0001000000000000");
        assertThat(initiator
                        .send(0, "12 00 00 00ff 00", new byte[0], 0)
                        .isGood()
                        .data()[0])
                .isEqualTo((byte) 0x3f);
        initiator.send(0, TEST_UNIT_READY, new byte[0], 0).fails(SenseCode.LOGICAL_UNIT_NOT_SUPPORTED);
        assertThat(initiator
                        .send(0, "03 00 00 00 ff 00", new byte[0], 0)
                        .isGood()
                        .hex())
                .startsWith("70000500000000" + "0a000000002500");
    }

    @Test
    void numbersWithoutUnitAreRefused() {
        long lun2 = 2L << 48;
        assertThat(initiator
                        .send(lun2, "12 00 00 00ff 00", new byte[0], 0)
                        .isGood()
                        .data()[0])
                .isEqualTo((byte) 0x7f);
        initiator.send(lun2, "28 00 00000000 00 0001 00", new byte[0], 0).fails(SenseCode.LOGICAL_UNIT_NOT_SUPPORTED);
        assertThat(target.hasLun(Initiator.LUN_1)).isTrue();
        assertThat(target.hasLun(0x4001L << 48)).as("flat space addressing").isTrue();
        assertThat(target.hasLun(Initiator.LUN_1 | 1)).as("a second level").isFalse();
        assertThat(target.hasLun(lun2)).isFalse();
    }

    @Test
    void unknownCommandsAndActionsAreTwoErrors() {
        initiator.send("ff 00 00 00 00 00").fails(SenseCode.INVALID_COMMAND_OPERATION_CODE);
        initiator.send("9e 1f 0000000000000000 00000020 00 00").fails(SenseCode.INVALID_FIELD_IN_CDB);
        initiator.send("00 00 00 00 00 04").fails(SenseCode.INVALID_FIELD_IN_CDB);
    }

    // ------------------------------------------------------------------ data

    @Test
    void whatIsWrittenIsReadByEveryKindOfCommand() {
        initiator.write10(8, blocks(2, 0x5a)).isGood();
        assertThat(initiator.read10(8, 2).isGood().data()).isEqualTo(blocks(2, 0x5a));
        assertThat(initiator.send("08 000008 02 00").isGood().data()).isEqualTo(blocks(2, 0x5a));
        assertThat(initiator.send("a8 00 00000008 00000002 00 00").isGood().data())
                .isEqualTo(blocks(2, 0x5a));
        assertThat(initiator
                        .send("88 00 0000000000000008 00000002 00 00")
                        .isGood()
                        .data())
                .isEqualTo(blocks(2, 0x5a));
        initiator.send("0a 000010 01 00", blocks(1, 1)).isGood();
        initiator.send("aa 00 00000011 00000001 00 00", blocks(1, 2)).isGood();
        initiator.send("8a 00 0000000000000012 00000001 00 00", blocks(1, 3)).isGood();
        assertThat(device.content(0x10 * 512, 1)).containsExactly(1);
        assertThat(device.content(0x11 * 512, 1)).containsExactly(2);
        assertThat(device.content(0x12 * 512, 1)).containsExactly(3);
    }

    @Test
    void aLengthOfZeroMeans256BlocksInSixByteCommandsAndNoneInOthers() {
        assertThat(initiator.send("08 000000 00 00").isGood().data()).hasSize(256 * 512);
        assertThat(initiator.read10(0, 0).isGood().data()).isEmpty();
        assertThat(ScsiTarget.dataOutWanted(cdb("0a 000000 00 00"))).isEqualTo(256 * 512);
    }

    @Test
    void rangesBeyondTheEndAreRefused() {
        initiator.read10(LAST_LBA, 1).isGood();
        initiator.read10(LAST_LBA, 2).fails(SenseCode.LBA_OUT_OF_RANGE);
        initiator.read10(LAST_LBA + 1, 0).fails(SenseCode.LBA_OUT_OF_RANGE);
        initiator.send("88 00 ffffffffffffffff 00000001 00 00").fails(SenseCode.LBA_OUT_OF_RANGE);
        initiator.send("35 00 ffffffff 00 0000 00").fails(SenseCode.LBA_OUT_OF_RANGE);
    }

    @Test
    void protectionInformationIsRefused() {
        initiator.send("28 20 00000000 00 0001 00").fails(SenseCode.INVALID_FIELD_IN_CDB);
        byte[] sense = initiator.send("2a 80 00000000 00 0001 00", blocks(1, 1)).sense();
        assertThat(HexFormat.of().formatHex(sense, 15, 18))
                .as("byte 1, bit 7 of the CDB")
                .isEqualTo("cf0001");
    }

    @Test
    void forcedWritesReachStableStorageAndSoDoAllWithoutWriteCache() {
        initiator.write10(0, blocks(1, 1)).isGood();
        initiator.send("2a 08 00000001 00 0001 00", blocks(1, 1)).isGood();
        initiator.send("15 10 00 00 18 00", modeSelect("0812" + "0".repeat(36))).isGood();
        initiator.write10(2, blocks(1, 1)).isGood();
        assertThat(device.asked()).containsExactly("write 0 512", "write 512 512 [FORCED]", "write 1024 512 [FORCED]");
    }

    @Test
    void synchronizeCacheFlushes() {
        initiator.send("35 00 00000000 00 0000 00").isGood();
        initiator.send("91 02 0000000000000000 00000000 00 00").isGood();
        initiator.send("1b 00 00 00 00 00").isGood();
        assertThat(device.asked()).containsExactly("flush", "flush", "flush");
    }

    @Test
    void aWriteOfMoreThanWasSentWritesWhatWasSent() {
        initiator.write10(0, blocks(2, 'a')).isGood();
        initiator.send("2a 00 00000000 00 0002 00", new byte[200]).isGood();
        assertThat(device.content(199, 2)).containsExactly(0, 'a');
    }

    @Test
    void otherCommandsAreRefusedWhenTheLengthsDiffer() {
        String writeSame = "41 00 00000000 00 0001 00";
        initiator.send(writeSame, new byte[256]).fails(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
        initiator
                .send(Initiator.LUN_1, writeSame, new byte[512], 1024)
                .fails(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
        String compareAndWrite = "89 00 0000000000000000 000000 01 00 00";
        initiator.send(compareAndWrite, blocks(4, 0)).fails(SenseCode.INVALID_FIELD_IN_CDB);
        initiator.send(compareAndWrite, blocks(2, 0)).isGood();
    }

    @Test
    void theDataThatACommandWantsIsKnownBeforehand() {
        assertThat(ScsiTarget.dataOutWanted(cdb("2a 00 00000000 00 0003 00"))).isEqualTo(3 * 512);
        assertThat(ScsiTarget.dataOutWanted(cdb("89 00 0000000000000000 000000 80 00 00")))
                .isEqualTo(2 * 64 * 1024);
        assertThat(ScsiTarget.dataOutWanted(cdb("2f 00 00000000 00 0003 00"))).isZero();
        assertThat(ScsiTarget.dataOutWanted(cdb("2f 02 00000000 00 0003 00"))).isEqualTo(3 * 512);
        assertThat(ScsiTarget.dataOutWanted(cdb("2f 06 00000000 00 0003 00"))).isEqualTo(512);
        assertThat(ScsiTarget.dataOutWanted(cdb("93 01 0000000000000000 00000003 00 00")))
                .isZero();
        assertThat(ScsiTarget.dataOutWanted(cdb("42 00 00000000 00 0018 00"))).isEqualTo(24);
        assertThat(ScsiTarget.dataOutWanted(cdb("5f 00 00 0000 00000018 00"))).isEqualTo(24);
        assertThat(ScsiTarget.dataOutWanted(cdb("aa 00 00000000 ffffffff 00 00")))
                .as("too long, so refused")
                .isZero();
        assertThat(ScsiTarget.dataOutWanted(cdb("28 00 00000000 00 0003 00"))).isZero();
    }

    // ------------------------------------------------------------------ comparing

    @Test
    void verifyComparesAsItIsTold() {
        initiator.write10(0, blocks(1024, 7)).isGood();
        initiator.send("2f 00 00000000 00 0400 00").isGood();
        initiator.send("2f 02 00000000 00 0400 00", blocks(1024, 7)).isGood();
        initiator.send("af 06 00000000 00000400 00 00", blocks(1, 7)).isGood();
        byte[] wrong = blocks(1024, 7);
        wrong[300_000] = 8;
        assertThat(initiator
                        .send("8f 02 0000000000000000 00000400 00 00", wrong)
                        .fails(SenseCode.MISCOMPARE_DURING_VERIFY)
                        .information())
                .isEqualTo(300_000);
        initiator.send("2f 04 00000000 00 0001 00").fails(SenseCode.INVALID_FIELD_IN_CDB);
        initiator.write10(1000, blocks(1, 9)).isGood();
        assertThat(initiator
                        .send("2f 06 00000000 00 0400 00", blocks(1, 7))
                        .fails(SenseCode.MISCOMPARE_DURING_VERIFY)
                        .information())
                .isEqualTo(1000 * 512);
    }

    @Test
    void writeAndVerifyWritesThroughAndReadsBack() {
        initiator.send("2e 02 00000004 00 0001 00", blocks(1, 3)).isGood();
        initiator.send("8e 00 0000000000000005 00000001 00 00", blocks(1, 4)).isGood();
        assertThat(device.asked())
                .containsExactly(
                        "write 2048 512 [FORCED]", "read 2048 512", "write 2560 512 [FORCED]", "read 2560 512");
    }

    @Test
    void compareAndWriteReplacesOnlyWhatIsAsExpected() {
        String cdb = "89 00 0000000000000002 000000 01 00 00";
        byte[] both =
                ByteBuffer.allocate(1024).put(blocks(1, 0)).put(blocks(1, 5)).array();
        initiator.send(cdb, both).isGood();
        assertThat(device.content(1024, 1)).containsExactly(5);
        byte[] nearly =
                ByteBuffer.allocate(1024).put(blocks(1, 5)).put(blocks(1, 6)).array();
        nearly[500] = 0;
        assertThat(initiator
                        .send(cdb, nearly)
                        .fails(SenseCode.MISCOMPARE_DURING_VERIFY)
                        .information())
                .isEqualTo(500);
        assertThat(device.content(1024, 1)).containsExactly(5);
        initiator.send("89 00 0000000000000000 000000 81 00 00", blocks(258, 0)).fails(SenseCode.INVALID_FIELD_IN_CDB);
    }

    @Test
    void orWriteSetsBitsAlsoWhenOthersWriteInBetween() {
        initiator.write10(0, blocks(256, 0x0f)).isGood();
        device.beforeCompare(() -> {
            device.beforeCompare(() -> {});
            initiator.write10(0, blocks(1, 0x01)).isGood();
        });
        initiator
                .send("8b 00 0000000000000000 00000100 00 00", blocks(256, 0x50))
                .isGood();
        assertThat(device.content(0, 1)).containsExactly(0x51);
        assertThat(device.content(512, 255 * 512)).isEqualTo(blocks(255, 0x5f));
    }

    @Test
    void orWriteAgainstOneWhoAlwaysWritesInBetweenEndsBusy() {
        byte[] value = {1};
        device.beforeCompare(() -> initiator.write10(0, blocks(1, value[0]++)).isGood());
        Answer answer = initiator.send("8b 00 0000000000000000 00000001 00 00", blocks(1, 0x40));
        assertThat(answer.status()).isEqualTo(ScsiStatus.BUSY);
    }

    // ------------------------------------------------------------------ thin provisioning

    @Test
    void unmapDiscardsEachRange() {
        String list =
                "0026 0020 00000000" + "0000000000000008 00000008 00000000" + "0000000000000020 00000001 00000000";
        initiator.send("42 00 00000000 00 0028 00", hex(list)).isGood();
        assertThat(device.asked()).containsExactly("discard 4096 4096", "discard 16384 512");
    }

    @Test
    void unmapOutsideItsLimitsDoesNothing() {
        initiator
                .send("42 00 00000000 00 0018 00", hex("0016 0010 00000000 0000000000001fff 00000002 00000000"))
                .fails(SenseCode.LBA_OUT_OF_RANGE);
        initiator
                .send("42 00 00000000 00 0018 00", hex("0016 0010 00000000 0000000000000000 00100001 00000000"))
                .fails(SenseCode.INVALID_FIELD_IN_PARAMETER_LIST);
        initiator.send("42 00 00000000 00 0004 00", new byte[4]).fails(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        initiator.send("42 01 00000000 00 0000 00").fails(SenseCode.INVALID_FIELD_IN_CDB);
        initiator.send("42 00 00000000 00 0000 00").isGood();
        assertThat(device.asked()).isEmpty();
    }

    @Test
    void writeSameSendsNoZeroes() {
        initiator.send("41 00 00000008 00 0010 00", blocks(1, 0)).isGood();
        initiator.send("93 08 0000000000000008 00000010 00 00", blocks(1, 0)).isGood();
        initiator.send("93 09 0000000000000008 00000010 00 00").isGood();
        initiator.send("93 01 0000000000001ff0 00000000 00 00").isGood();
        assertThat(device.asked())
                .containsExactly(
                        "zero 4096 8192 [ALLOCATE]",
                        "discard 4096 8192",
                        "discard 4096 8192",
                        "zero 4186112 8192 [ALLOCATE]");
    }

    @Test
    void writeSameRepeatsABlock() {
        byte[] block = blocks(1, 1);
        block[511] = 2;
        initiator.send("93 00 0000000000000001 00001000 00 00", block).isGood();
        for (int i : new int[] {1, 512, 513, 0x1000}) {
            assertThat(device.content(i * 512, 512)).isEqualTo(block);
        }
        assertThat(device.content(0, 512)).isEqualTo(blocks(1, 0));
        assertThat(device.content(0x1001 * 512, 512)).isEqualTo(blocks(1, 0));
        initiator.send("41 10 00000000 00 0001 00", block).fails(SenseCode.INVALID_FIELD_IN_CDB);
    }

    @Test
    void statusOfBlocksBeginsWhereItWasAskedFor() {
        initiator.write10(8, blocks(16, 1)).isGood();
        assertThat(initiator
                        .send("9e 12 0000000000000003 00000038 00 00")
                        .isGood()
                        .hex())
                .isEqualTo("00000034 00000000 0000000000000003 00000005 01000000 0000000000000008 00000010 00000000"
                        .concat(" 0000000000000018 00001fe8 01000000")
                        .replace(" ", ""));
        assertThat(initiator
                        .send("9e 12 000000000000000b 00000018 00 00")
                        .isGood()
                        .hex())
                .isEqualTo("00000014 00000000 000000000000000b 0000000d 00000000".replace(" ", ""));
        initiator.send("9e 12 0000000000002000 00000018 00 00").fails(SenseCode.LBA_OUT_OF_RANGE);
    }

    // ------------------------------------------------------------------ failures

    @Test
    void failuresOfTheDeviceBecomeSense() {
        device.failWith(new DamagedBlockException("disk", 2));
        assertThat(initiator
                        .read10(8, 16)
                        .fails(SenseCode.UNRECOVERED_READ_ERROR)
                        .information())
                .isEqualTo(16);
        assertThat(initiator
                        .read10(17, 1)
                        .fails(SenseCode.UNRECOVERED_READ_ERROR)
                        .information())
                .as("not before the range of the command")
                .isEqualTo(17);
        device.failWith(new DiskFullException("disk 1", 4096, 0));
        initiator.write10(0, blocks(1, 1)).fails(SenseCode.SPACE_ALLOCATION_FAILED_WRITE_PROTECT);
        device.failWith(new TooFewReplicasException("disk", 2, 1));
        initiator.write10(0, blocks(1, 1)).fails(SenseCode.NOT_READY_BECOMING_READY);
        device.failWith(new FencedException("disk", 1, 2));
        initiator.read10(0, 1).fails(SenseCode.NOT_READY_MANUAL_INTERVENTION);
        device.failWith(new IllegalStateException("unexpected"));
        for (String cdb :
                List.of("28 00 00000000 00 0001 00", "2f 00 00000000 00 0001 00", "35", "34 00 00000000 00 0001")) {
            initiator.send(cdb).fails(SenseCode.INTERNAL_TARGET_FAILURE);
        }
        initiator.send("8b 00 0000000000000000 00000001 00 00", blocks(1, 0)).fails(SenseCode.INTERNAL_TARGET_FAILURE);
        initiator.send("2e 02 00000004 00 0001 00", blocks(1, 3)).fails(SenseCode.INTERNAL_TARGET_FAILURE);
        initiator.send("41 00 00000000 00 0001 00", blocks(1, 1)).fails(SenseCode.INTERNAL_TARGET_FAILURE);
    }

    @Test
    void aReadOnlyDeviceIsWriteProtected() {
        device.makeReadOnly();
        for (String cdb :
                List.of("2a 00 00000000 00 0001 00", "41 00 00000000 00 0001 00", "2e 00 00000000 00 0001 00")) {
            initiator.send(cdb, blocks(1, 0)).fails(SenseCode.WRITE_PROTECTED);
        }
        initiator
                .send("42 00 00000000 00 0018 00", hex("0016 0010 00000000 0000000000000000 00000001 00000000"))
                .fails(SenseCode.WRITE_PROTECTED);
        initiator.send("89 00 0000000000000000 000000 01 00 00", blocks(2, 0)).fails(SenseCode.WRITE_PROTECTED);
        initiator.send("8b 00 0000000000000000 00000001 00 00", blocks(1, 0)).fails(SenseCode.WRITE_PROTECTED);
        assertThat(initiator.send("1a 00 3f 00 ff 00").isGood().data()[2] & 0x80)
                .isEqualTo(0x80);
        initiator.read10(0, 1).isGood();
    }

    // ------------------------------------------------------------------ modes

    @Test
    void modeSenseTellsCacheControlAndExceptions() {
        assertThat(initiator.send("1a 00 3f 00 ff 00").isGood().hex())
                .isEqualTo(("37001008" + "0000200000000200" + "0812 04 00 0000000000000000000000000000 0000"
                                + "0a0a 00 10 00 00 0000 0000 0000" + "1c0a 00000000000000000000")
                        .replace(" ", ""));
        assertThat(initiator.send("1a 08 48 00 ff 00").isGood().hex())
                .isEqualTo("17001000" + "081204" + "0".repeat(34));
        assertThat(initiator.send("5a 08 4a 00 000000 00ff 00").isGood().hex())
                .isEqualTo("0012001000000000" + "0a0a0400080000000000" + "0000");
        assertThat(initiator.send("5a 10 08 00 000000 00ff 00").isGood().hex())
                .startsWith("002a001001000010" + "0000000000002000" + "0000000000000200");
        initiator.send("1a 00 ff 00 ff 00").fails(SenseCode.SAVING_PARAMETERS_NOT_SUPPORTED);
        initiator.send("1a 00 02 00 ff 00").fails(SenseCode.INVALID_FIELD_IN_CDB);
    }

    @Test
    void softwareWriteProtectionIsToldToOthers() {
        Initiator other = Initiator.settled(target, "b");
        initiator
                .send("15 10 00 00 10 00", modeSelect("0a0a00100800" + "0".repeat(12)))
                .isGood();
        initiator.write10(0, blocks(1, 1)).fails(SenseCode.WRITE_PROTECTED);
        other.send(TEST_UNIT_READY).fails(SenseCode.MODE_PARAMETERS_CHANGED);
        other.write10(0, blocks(1, 1)).fails(SenseCode.WRITE_PROTECTED);
        initiator
                .send("15 10 00 00 10 00", modeSelect("0a0a00100000" + "0".repeat(12)))
                .isGood();
        initiator.write10(0, blocks(1, 1)).isGood();
    }

    @Test
    void senseDataHasTheFormatThatIsSet() {
        initiator
                .send("55 10 00 00 000000 0014 00", hex("0000000000000000" + "0a0a04100000" + "0".repeat(12)))
                .isGood();
        byte[] sense = initiator.read10(-1, 1).sense();
        assertThat(HexFormat.of().formatHex(sense)).isEqualTo("7205210000000000");
        device.failWith(new DamagedBlockException("disk", 2));
        assertThat(HexFormat.of().formatHex(initiator.read10(16, 1).sense()))
                .isEqualTo("720311000000000c" + "000a80000000000000000010");
    }

    @Test
    void onlyWhatCanBeChangedIsChanged() {
        initiator
                .send("15 10 00 00 10 00", modeSelect("0a0a00000000" + "0".repeat(12)))
                .fails(SenseCode.INVALID_FIELD_IN_PARAMETER_LIST);
        initiator.send("15 10 00 00 06 00", modeSelect("0200")).fails(SenseCode.INVALID_FIELD_IN_PARAMETER_LIST);
        initiator.send("15 10 00 00 05 00", modeSelect("08")).fails(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        initiator.send("15 10 00 00 02 00", new byte[2]).fails(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        initiator.send("15 11 00 00 00 00").fails(SenseCode.INVALID_FIELD_IN_CDB);
        initiator.send("15 00 00 00 00 00").fails(SenseCode.INVALID_FIELD_IN_CDB);
        initiator
                .send("15 10 00 00 0c 00", hex("00000008 00000000 00001000"))
                .fails(SenseCode.INVALID_FIELD_IN_PARAMETER_LIST);
        initiator.send("15 10 00 00 0c 00", hex("00000008 00002000 00000200")).isGood();
    }

    // ------------------------------------------------------------------ what is supported

    @Test
    void everySupportedCommandIsReportedAloneToo() {
        byte[] all = initiator.send("a3 0c 00 00 0000 0000ffff 00 00").isGood().data();
        assertThat(all.length).isEqualTo(4 + 8 * CommandTable.all().size());
        for (int at = 4; at < all.length; at += 8) {
            boolean hasAction = (all[at + 5] & 1) != 0;
            String one = String.format("%02x %04x", all[at], Cdb.u16(all, at + 2));
            byte[] usage = initiator
                    .send("a3 0c 0" + (hasAction ? 2 : 1) + one + "0000ffff 00 00")
                    .isGood()
                    .data();
            assertThat(usage[1]).isEqualTo((byte) 3);
            assertThat(usage[4]).isEqualTo(all[at]);
            assertThat(Cdb.u16(usage, 2))
                    .isEqualTo(Cdb.lengthBytes(all[at] & 0xff))
                    .isEqualTo(Cdb.u16(all, at + 6));
            initiator
                    .send("a3 0c 0" + (hasAction ? 1 : 2) + one + "0000ffff 00 00")
                    .fails(SenseCode.INVALID_FIELD_IN_CDB);
            assertThat(initiator
                            .send("a3 0c 83" + one + "0000ffff 00 00")
                            .isGood()
                            .data())
                    .hasSize(usage.length + 12);
        }
        assertThat(initiator.send("a3 0c 01 ff 0000 0000ffff 00 00").isGood().hex())
                .isEqualTo("00010000");
        initiator.send("a3 0c 04 00 0000 0000ffff 00 00").fails(SenseCode.INVALID_FIELD_IN_CDB);
        assertThat(initiator.send("a3 0d 00 00 0000 000000ff 00 00").isGood().hex())
                .isEqualTo("da000000");
    }

    @Test
    void commandsOfASingleMediumThatCannotBeRemoved() {
        initiator.send("1b 00 00 00 02 00").fails(SenseCode.INVALID_FIELD_IN_CDB);
        initiator.send("1b 00 00 00 01 00").isGood();
        initiator.send("1e 00 00 00 01 00").isGood();
        initiator.send("1e 00 00 00 02 00").fails(SenseCode.INVALID_FIELD_IN_CDB);
        initiator.send("34 00 00000000 00 0008 00").isGood();
        initiator.send("90 02 0000000000000000 00000008 00 00").isGood();
        assertThat(device.asked()).containsExactly("read 0 4096");
    }

    // ------------------------------------------------------------------ unit attentions

    @Test
    void attentionsComeOneByOneInOrderAndAResetReplacesThem() {
        device.grow(SIZE_BYTES + 4096);
        device.grow(SIZE_BYTES + 8192);
        target.taskSetCleared(new InitiatorPort("iqn.other", "000000000000"), Initiator.LUN_1);
        initiator.send("12 00 00 0005 00").isGood();
        initiator.send(TEST_UNIT_READY).fails(SenseCode.CAPACITY_DATA_HAS_CHANGED);
        assertThat(initiator.send("03 00 00 00 ff 00").isGood().hex()).startsWith("700006000000000a000000002f00");
        assertThat(initiator.send("03 01 00 00 ff 00").isGood().hex()).isEqualTo("7200000000000000");
        device.grow(SIZE_BYTES + 4096);
        assertThat(target.logicalUnitReset(Initiator.LUN_1)).isTrue();
        assertThat(target.logicalUnitReset(0)).isFalse();
        initiator.send(TEST_UNIT_READY).fails(SenseCode.POWER_ON_OR_RESET);
        initiator.send(TEST_UNIT_READY).isGood();
        target.targetReset();
        initiator.send(TEST_UNIT_READY).fails(SenseCode.POWER_ON_OR_RESET);
        target.nexusLost(initiator.port());
        initiator.send(TEST_UNIT_READY).fails(SenseCode.POWER_ON_OR_RESET);
    }

    // ------------------------------------------------------------------ RESERVE(6)

    @Test
    void reserveKeepsOthersOutUntilItEnds() {
        Initiator other = Initiator.settled(target, "b");
        initiator.send("16 00 00 00 00 00").isGood();
        initiator.send("16 00 00 00 00 00").isGood();
        other.send("16 00 00 00 00 00").isConflict();
        other.send(TEST_UNIT_READY).isConflict();
        other.read10(0, 1).isConflict();
        other.send("12 00 00 0005 00").isGood();
        other.send("17 00 00 00 00 00").isGood();
        other.read10(0, 1).isConflict();
        initiator.read10(0, 1).isGood();
        initiator.send("17 00 00 00 00 00").isGood();
        other.read10(0, 1).isGood();
        initiator.send("16 00 00 00 00 00").isGood();
        target.nexusLost(initiator.port());
        other.send("16 00 00 00 00 00").isGood();
        target.logicalUnitReset(Initiator.LUN_1);
        assertThat(Initiator.settled(target, "c")
                        .send("16 00 00 00 00 00")
                        .isGood()
                        .status())
                .isZero();
    }

    // ------------------------------------------------------------------ order

    @Test
    void preemptAndAbortWaitsForWhatWasAtWork() {
        Initiator other = Initiator.settled(target, "b");
        initiator.reserveOut(0, 0, 0, 1).isGood();
        other.reserveOut(0, 0, 0, 2).isGood();
        device.hold();
        CompletableFuture<Answer> write = other.start("2a 00 00000000 00 0001 00", blocks(1, 1));
        initiator.reserveOut(1, 3, 1, 0).isGood();
        String list = String.format("%016x%016x0000000000000000", 1, 2);
        CompletableFuture<Answer> preempt = initiator.start("5f 05 03 0000 00000018 00", hex(list));
        initiator.send("5e 00 00000000 00 00ff 00").isGood();
        assertThat(write).isNotDone();
        assertThat(preempt).isNotDone();
        device.letAllGo();
        write.join().isGood();
        preempt.join().isGood();
        other.read10(0, 1).fails(SenseCode.REGISTRATIONS_PREEMPTED);
        other.read10(0, 1).isConflict();
    }

    private static byte[] modeSelect(String page) {
        return hex("00000000" + page);
    }

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text.replace(" ", ""));
    }

    private static byte[] cdb(String text) {
        return Arrays.copyOf(hex(text), 16);
    }
}
