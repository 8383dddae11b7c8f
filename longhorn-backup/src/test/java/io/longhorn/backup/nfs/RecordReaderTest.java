package io.longhorn.backup.nfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecordReaderTest {
    private final List<String> records = new ArrayList<>();

    private void read(RecordReader reader, byte[] bytes) throws ProtocolException {
        reader.read(ByteBuffer.wrap(bytes), record -> {
            byte[] copy = new byte[record.remaining()];
            record.get(copy);
            records.add(HexFormat.of().formatHex(copy));
        });
    }

    /** A record in one fragment, one in three of which one is empty, an empty one. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 7, 100})
    void recordsArePutTogetherFromWhateverArrives(int pieceBytes) throws ProtocolException {
        byte[] stream = HexFormat.of()
                .parseHex("80000003010203" + "000000020405" + "00000000" + "8000000106" + "80000000" + "800000010a");
        RecordReader reader = new RecordReader(3);
        for (int from = 0; from < stream.length; from += pieceBytes) {
            read(reader, Arrays.copyOfRange(stream, from, Math.min(from + pieceBytes, stream.length)));
        }
        assertThat(records).containsExactly("010203", "040506", "", "0a");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ffffffff", "7fffffff", "80000004", "00000002010280000002", "48545450"})
    void aRecordThatIsTooLongIsRefusedByItsHeader(String hex) {
        RecordReader reader = new RecordReader(3);
        assertThatThrownBy(() -> read(reader, HexFormat.of().parseHex(hex)))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("at most 3");
        assertThat(records).isEmpty();
    }
}
