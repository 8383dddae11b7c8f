package io.longhorn.backup.nfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class CompoundTest {
    /** Xid, reply, accepted, no verifier, success. */
    private static final String ACCEPTED = "00000001 00000001 00000000 00000000 00000000 00000000";

    private static final String SESSION = "000102030405060708090a0b0c0d0e0f";

    private static ByteBuffer bytes(String hex) {
        return ByteBuffer.wrap(HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    private static CompoundReply reply(String results) throws IOException {
        return CompoundReply.of(bytes(ACCEPTED + results));
    }

    @Test
    void aCallInASessionBeginsWithItsPlaceThere() {
        Compound compound = Compound.inSession(0, 0)
                .put(new FileHandle(new byte[] {7, 7, 7}))
                .lookup("a")
                .getHandle();
        compound.setXid(9);
        compound.number(HexFormat.of().parseHex(SESSION), new Slot(3), 5);
        ByteBuffer record = compound.record();
        assertThat(record.slice(0, 4)).isEqualTo(bytes("00000009"));
        String expected = "00000000 00000001 00000004"
                // SEQUENCE: session, sequence 1, slot 3, highest 5, not kept
                + "00000035" + SESSION + "00000001 00000003 00000005 00000000"
                + "00000016 00000003 07070700"
                + "0000000f 00000001 61000000"
                + "0000000a";
        assertThat(record.slice(68, record.limit() - 68)).isEqualTo(bytes(expected));
    }

    @Test
    void aChangeIsToBeKeptByTheServer() {
        Compound compound = Compound.inSession(0, 0).remove("a");
        compound.number(new byte[16], new Slot(0), 0);
        String end = "00000001" + "0000001c 00000001 61000000";
        ByteBuffer record = compound.record();
        assertThat(record.slice(record.limit() - 16, 16)).isEqualTo(bytes(end));
    }

    @Test
    void aFileIsMadeOnlyIfItIsNotThere() {
        ByteBuffer record = Compound.outside(0, 0).createFile(5, "a").record();
        String expected = "00000000 00000001 00000001"
                // OPEN: for writing, without delegation, nobody is denied
                + "00000012 00000000 00000402 00000000"
                // owner: client 5, "longhorn"
                + "0000000000000005 00000008 6c6f6e67686f726e"
                // create, guarded, with mode 0644, by name
                + "00000001 00000001 00000002 00000000 00000002 00000004 000001a4"
                + "00000000 00000001 61000000";
        assertThat(record.slice(68, record.limit() - 68)).isEqualTo(bytes(expected));
    }

    @Test
    void resultsAreReadInOrderUpToTheFailure() throws IOException {
        CompoundReply reply = reply("00000002 00000000 00000002" + "00000016 00000000" + "0000000f 00000002");
        reply.done(NfsOp.PUTFH);
        assertThatThrownBy(() -> reply.done(NfsOp.LOOKUP))
                .isInstanceOfSatisfying(
                        NfsException.class, e -> assertThat(e.isAbsent()).isTrue())
                .hasMessage("LOOKUP ended with NFS4ERR_NOENT");
    }

    @Test
    void aRefusalOfTheWholeCallIsToldAtItsFirstOperation() throws IOException {
        CompoundReply reply = reply("00002725 00000000 00000000");
        assertThatThrownBy(() -> reply.done(NfsOp.EXCHANGE_ID))
                .isInstanceOf(NfsException.class)
                .hasMessageContaining("MINOR_VERS_MISMATCH");
    }

    @Test
    void aPageOfADirectoryIsRead() throws IOException {
        CompoundReply.Page page = reply("00000000 00000000 00000001" + "0000001a 00000000" + "0102030405060708"
                        + "00000001 0000000000000011 00000001 61000000"
                        // type file, size 5, no error, modified at 1 s and 2 ns
                        + "00000002 00000812 00200000 0000001c 00000001 0000000000000005 00000000 0000000000000001 00000002"
                        // A name that is not UTF-8, without attributes.
                        + "00000001 0000000000000012 00000001 ff000000 00000000 00000000"
                        + "00000000 00000000")
                .page();
        assertThat(page.entries()).hasSize(1);
        assertThat(page.entries().get(0).name()).isEqualTo("a");
        Attributes attributes = page.entries().get(0).attributes();
        assertThat(attributes.isFile()).isTrue();
        assertThat(attributes.sizeBytes()).isEqualTo(5);
        assertThat(attributes.modifiedAt()).isEqualTo(Instant.ofEpochSecond(1, 2));
        assertThat(page.nextCookie()).isEqualTo(0x12);
        assertThat(page.verifier()).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
        assertThat(page.last()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"00000000", "00000001 2e000000", "00000002 2e2e0000", "00000003 612f6200"})
    void anEntryWhoseNameLeadsElsewhereIsRefused(String name) throws IOException {
        CompoundReply reply = reply("00000000 00000000 00000001" + "0000001a 00000000" + "0000000000000000"
                + "00000001 0000000000000001" + name + "00000000 00000000" + "00000000 00000001");
        assertThatThrownBy(reply::page).isInstanceOf(ProtocolException.class).hasMessageContaining("name");
    }

    @Test
    void aDirectoryWithoutEndIsRefused() throws IOException {
        CompoundReply reply =
                reply("00000000 00000000 00000001" + "0000001a 00000000" + "0000000000000000" + "00000000 00000000");
        assertThatThrownBy(reply::page)
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("empty and not the last");
    }

    /** What one of the readers makes of a reply. */
    interface Reading {
        void read(CompoundReply reply) throws IOException;
    }

    record Sample(String name, String result, Reading reading) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Sample> samples() {
        String change = "00000001 0000000000000001 0000000000000002";
        String state = "00000001 000000000000000000000000";
        return List.of(
                new Sample("GETFH", "0000000a 00000000 00000003 01020300", CompoundReply::handle),
                new Sample(
                        "GETATTR",
                        "00000009 00000000 00000001 00000012 0000000c 00000001 0000000000000005",
                        CompoundReply::attributes),
                new Sample("ACCESS", "00000003 00000000 0000000c 00000008", CompoundReply::access),
                new Sample("CREATE", "00000006 00000000" + change + "00000001 00000000", CompoundReply::madeDirectory),
                new Sample(
                        "OPEN",
                        "00000012 00000000" + state + change + "00000000 00000001 00000000 00000003 00000001 00000000",
                        CompoundReply::opened),
                new Sample("WRITE", "00000026 00000000 00000004 00000002 0102030405060708", reply -> reply.written(4)),
                new Sample("COMMIT", "00000005 00000000 0102030405060708", CompoundReply::committed),
                new Sample("CLOSE", "00000004 00000000" + state, CompoundReply::closed),
                new Sample("READ", "00000019 00000000 00000001 00000003 01020300", reply -> reply.piece(3)),
                new Sample(
                        "READDIR",
                        "0000001a 00000000 0000000000000000"
                                + "00000001 0000000000000001 00000001 61000000 00000000 00000000 00000000 00000001",
                        CompoundReply::page),
                new Sample("REMOVE", "0000001c 00000000" + change, CompoundReply::removed),
                new Sample("RENAME", "0000001d 00000000" + change + change, CompoundReply::renamed),
                new Sample("EXCHANGE_ID", "0000002a 00000000 0000000000000001 00000001", CompoundReply::clientId),
                new Sample(
                        "CREATE_SESSION",
                        "0000002b 00000000" + SESSION + "00000001 00000000"
                                + "00000000 00100000 00100000 00001000 00000010 00000008 00000000",
                        reply -> reply.madeSession(ChannelLimits.WANTED)),
                new Sample(
                        "SEQUENCE",
                        "00000035 00000000" + SESSION + "00000001 00000000 00000000 00000000 00000000",
                        CompoundReply::sequenced));
    }

    @ParameterizedTest
    @MethodSource("samples")
    void everyResultIsReadWholeAndRefusedWhereverItIsCut(Sample sample) throws IOException {
        String head = ACCEPTED + "00000000 00000000 00000001";
        ByteBuffer whole = bytes(head + sample.result);
        sample.reading.read(CompoundReply.of(whole));
        for (int length = bytes(head).limit(); length < whole.limit(); length++) {
            CompoundReply cut = CompoundReply.of(whole.slice(0, length));
            assertThatThrownBy(() -> sample.reading.read(cut))
                    .as("cut after %s bytes", length)
                    .isInstanceOf(ProtocolException.class);
        }
    }

    /** Any word of an answer may be anything: an answer is read or refused, without much memory and without other exceptions. */
    @ParameterizedTest
    @MethodSource("samples")
    void anyWordMayBeNonsense(Sample sample) throws IOException {
        String head = ACCEPTED + "00000000 00000000 00000001";
        int refused = 0;
        for (int word = bytes(head).limit(); word < bytes(head + sample.result).limit(); word += 4) {
            for (int value : new int[] {-1, Integer.MAX_VALUE, Integer.MIN_VALUE, 0x10000, 2}) {
                ByteBuffer damaged = bytes(head + sample.result);
                damaged.putInt(word, value);
                try {
                    sample.reading.read(CompoundReply.of(damaged));
                } catch (IOException e) {
                    refused++;
                }
            }
        }
        // At least a wrong operation, and a wrong status.
        assertThat(refused).isGreaterThanOrEqualTo(10);
    }

    @Test
    void moreThanWasAskedForIsRefused() throws IOException {
        String read = "00000000 00000000 00000001" + "00000019 00000000 00000001 00000003 01020300";
        assertThatThrownBy(() -> reply(read).piece(2)).isInstanceOf(ProtocolException.class);
        String written = "00000000 00000000 00000001" + "00000026 00000000 00000004 00000002 0102030405060708";
        assertThatThrownBy(() -> reply(written).written(3)).isInstanceOf(ProtocolException.class);
    }

    @Test
    void aSessionThatGrantsTooLittleIsRefused() throws IOException {
        CompoundReply reply = reply("00000000 00000000 00000001" + "0000002b 00000000" + SESSION + "00000001 00000000"
                + "00000000 00000400 00100000 00001000 00000010 00000008 00000000");
        assertThatThrownBy(() -> reply.madeSession(ChannelLimits.WANTED))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("only 1024 bytes of a request");
    }
}
