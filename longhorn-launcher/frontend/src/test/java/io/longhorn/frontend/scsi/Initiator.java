package io.longhorn.frontend.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** One initiator port of a target, for tests. */
final class Initiator {

    static final long LUN_1 = 1L << 48;

    private final ScsiTarget target;
    private final InitiatorPort port;

    /** How a command ended. */
    record Answer(int status, byte[] sense, byte[] data) {

        Answer isGood() {
            assertThat(status)
                    .as("status, sense %s", HexFormat.of().formatHex(sense))
                    .isEqualTo(ScsiStatus.GOOD);
            return this;
        }

        void isConflict() {
            assertThat(status).isEqualTo(ScsiStatus.RESERVATION_CONFLICT);
        }

        Answer fails(SenseCode code) {
            assertThat(status).isEqualTo(ScsiStatus.CHECK_CONDITION);
            assertThat(sense[0] & 0x7f).as("fixed format").isEqualTo(0x70);
            assertThat(new int[] {sense[2], sense[12], sense[13]})
                    .as("sense %s", HexFormat.of().formatHex(sense))
                    .containsExactly(code.key(), code.additional(), code.qualifier());
            return this;
        }

        long information() {
            assertThat(sense[0] & 0x80).as("VALID").isEqualTo(0x80);
            return Cdb.u32(sense, 3);
        }

        String hex() {
            return HexFormat.of().formatHex(data);
        }
    }

    Initiator(ScsiTarget target, String name) {
        this.target = target;
        this.port = new InitiatorPort("iqn.2026-01.test:" + name, "80123456789a");
    }

    /** One whose session has begun, and who has been told of it. */
    static Initiator settled(ScsiTarget target, String name) {
        Initiator initiator = new Initiator(target, name);
        initiator.send("000000000000").fails(SenseCode.POWER_ON_OR_RESET);
        return initiator;
    }

    InitiatorPort port() {
        return port;
    }

    Answer send(String cdb) {
        return send(cdb, new byte[0]);
    }

    Answer send(String cdb, byte[] dataOut) {
        return send(LUN_1, cdb, dataOut, dataOut.length);
    }

    Answer send(long lun, String cdb, byte[] dataOut, long expected) {
        try {
            return start(lun, cdb, dataOut, expected).get(20, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("no answer to " + cdb, e);
        }
    }

    CompletableFuture<Answer> start(String cdb, byte[] dataOut) {
        return start(LUN_1, cdb, dataOut, dataOut.length);
    }

    private CompletableFuture<Answer> start(long lun, String cdb, byte[] dataOut, long expected) {
        byte[] bytes = HexFormat.of().parseHex(cdb.replace(" ", ""));
        return start(lun, Arrays.copyOf(bytes, Math.max(bytes.length, ScsiTask.CDB_BYTES_MIN)), dataOut, expected);
    }

    CompletableFuture<Answer> start(long lun, byte[] cdb, byte[] dataOut, long expected) {
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        ByteBuf out = Unpooled.copiedBuffer(dataOut);
        target.execute(new ScsiTask(port, lun, cdb, out, expected, Integer.MAX_VALUE), new ScsiOutcome() {
            @Override
            public void good(ByteBuf dataIn) {
                byte[] data = new byte[dataIn.readableBytes()];
                dataIn.readBytes(data);
                dataIn.release();
                end(new Answer(ScsiStatus.GOOD, new byte[0], data));
            }

            @Override
            public void status(int scsiStatus, byte[] sense) {
                end(new Answer(scsiStatus, sense, new byte[0]));
            }

            private void end(Answer ended) {
                assertThat(out.refCnt()).isEqualTo(1);
                out.release();
                if (!answer.complete(ended)) {
                    throw new AssertionError("answered twice: " + HexFormat.of().formatHex(cdb));
                }
            }
        });
        return answer;
    }

    // ------------------------------------------------------------------ commands in words

    Answer read10(int lba, int blocks) {
        return send(String.format("28 00 %08x 00 %04x 00", lba, blocks));
    }

    Answer write10(int lba, byte[] data) {
        return send(String.format("2a 00 %08x 00 %04x 00", lba, data.length / 512), data);
    }

    Answer reserveOut(int action, int type, long key, long actionKey) {
        return reserveOut(action, type, key, actionKey, 0);
    }

    Answer reserveOut(int action, int type, long key, long actionKey, int flags) {
        String list = String.format("%016x%016x00000000%02x000000", key, actionKey, flags);
        return send(
                String.format("5f %02x %02x 0000 00000018 00", action, type),
                HexFormat.of().parseHex(list));
    }

    static byte[] blocks(int count, int value) {
        byte[] data = new byte[count * 512];
        Arrays.fill(data, (byte) value);
        return data;
    }
}
