package io.longhorn.replica.wire;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A frame as lines for people: what it says, and its bytes. The form of the golden vectors. */
final class FrameText {
    private static final int BYTES_PER_LINE = 16;
    private static final HexFormat SPACED = HexFormat.ofDelimiter(" ");

    private FrameText() {}

    /** Every field with its value, decoded from the bytes. */
    static List<String> decoding(ByteBuffer b, int length) {
        List<String> lines = new ArrayList<>();
        FrameType type = FrameType.of(FrameLayout.type(b, 0));
        lines.add("type = " + type + " (" + FrameLayout.type(b, 0) + ")");
        lines.add("frame length = " + FrameLayout.frameLength(b, 0));
        lines.add("payload length = " + FrameLayout.payloadLength(b, 0));
        lines.add("header CRC = " + hex(b.getInt(FrameLayout.HEADER_CRC_OFFSET)));
        lines.add("flags = " + FrameLayout.flags(b, 0));
        lines.add("slot = " + FrameLayout.slot(b, 0));
        lines.add("epoch = " + FrameLayout.epoch(b, 0));
        lines.add("number = " + FrameLayout.number(b, 0));
        if (type.isRecord()) {
            record(lines, b, length, type);
        } else {
            other(lines, b, length, type);
        }
        return lines;
    }

    private static void record(List<String> lines, ByteBuffer b, int length, FrameType type) {
        lines.add("check = " + RecordLayout.check(b, 0, length));
        lines.add("committed = " + RecordLayout.committed(b, 0));
        lines.add("offset = " + RecordLayout.offset(b, 0));
        lines.add("length = " + RecordLayout.length(b, 0));
        lines.add("durable position = " + RecordLayout.durablePosition(b, 0));
        lines.add("segment = " + RecordLayout.segment(b, 0));
        lines.add("block count = " + RecordLayout.blockCount(b, 0));
        for (int i = 0; i < RecordLayout.blockCount(b, 0); i++) {
            lines.add("block CRC " + i + " = " + hex(RecordLayout.blockCrc(b, 0, i)));
        }
        lines.add("payload matches = " + RecordLayout.payloadMatches(b, 0));
        if (type.isStructure()) {
            components(lines, "", MessageCodec.decodeStructure(b, 0));
        }
    }

    private static void other(List<String> lines, ByteBuffer b, int length, FrameType type) {
        switch (type) {
            case ACK -> {
                lines.add("check = " + AckLayout.check(b, 0, length));
                lines.add("journaled = " + AckLayout.journaled(b, 0));
                lines.add("durable = " + AckLayout.durable(b, 0));
                lines.add("credit = " + AckLayout.creditBytes(b, 0));
                lines.add("disk full = " + AckLayout.diskFull(b, 0));
            }
            case COMMIT, FLUSH -> lines.add("check = " + SequenceLayout.check(b, 0, length, type));
            case READ -> {
                lines.add("check = " + ReadLayout.checkRead(b, 0, length));
                lines.add("layer = " + new LayerId(ReadLayout.layerEpoch(b, 0), ReadLayout.layerSequence(b, 0)));
                lines.add("offset = " + ReadLayout.offset(b, 0));
                lines.add("length = " + ReadLayout.length(b, 0));
                lines.add("pin = " + ReadLayout.pin(b, 0));
            }
            case READ_OK -> {
                lines.add("check = " + ReadLayout.checkAnswer(b, 0, length));
                lines.add("block count = " + ReadLayout.blockCount(b, 0));
                for (int i = 0; i < ReadLayout.blockCount(b, 0); i++) {
                    lines.add("block CRC " + i + " = " + hex(ReadLayout.blockCrc(b, 0, i)));
                }
                lines.add("first mismatch = " + ReadLayout.firstMismatch(b, 0, 0));
            }
            case LAYER_BLOCKS -> layerBlocks(lines, b, length);
            default -> components(lines, "", MessageCodec.decode(b, 0));
        }
    }

    private static void layerBlocks(List<String> lines, ByteBuffer b, int length) {
        lines.add("check = " + LayerBlocksLayout.check(b, 0, length));
        lines.add("session = " + LayerBlocksLayout.session(b, 0));
        lines.add("layer = " + LayerBlocksLayout.layer(b, 0));
        lines.add("next block = " + LayerBlocksLayout.nextBlock(b, 0));
        for (int i = 0; i < LayerBlocksLayout.entryCount(b, 0); i++) {
            lines.add("entry " + i + " = block " + LayerBlocksLayout.block(b, 0, i) + ", "
                    + (LayerBlocksLayout.isDamaged(b, 0, i) ? "DAMAGED" : LayerBlocksLayout.state(b, 0, i))
                    + ", sequence " + LayerBlocksLayout.sequence(b, 0, i) + ", CRC "
                    + hex(LayerBlocksLayout.crc(b, 0, i)));
        }
        lines.add("payload matches = " + LayerBlocksLayout.matches(b, 0));
    }

    private static void components(List<String> lines, String prefix, Object value) {
        for (RecordComponent component : value.getClass().getRecordComponents()) {
            Object part;
            try {
                part = component.getAccessor().invoke(value);
            } catch (IllegalAccessException | InvocationTargetException e) {
                throw new LinkageError("cannot read " + component, e);
            }
            field(lines, prefix + component.getName(), part);
        }
    }

    private static void field(List<String> lines, String name, Object value) {
        if (value instanceof List<?> list) {
            lines.add(name + " = " + list.size() + " elements");
            for (int i = 0; i < list.size(); i++) {
                field(lines, name + "[" + i + "]", list.get(i));
            }
        } else if (value instanceof Map<?, ?> labels) {
            lines.add(name + " = " + new TreeMap<>(labels));
        } else if (value instanceof byte[] bytes) {
            lines.add(name + " = " + bytes.length + " bytes, CRC " + hex(Checksum.block(ByteBuffer.wrap(bytes), 0)));
        } else if (value instanceof String) {
            lines.add(name + " = \"" + value + "\"");
        } else if (value instanceof Record && !(value instanceof LayerId)) {
            components(lines, name + ".", value);
        } else {
            lines.add(name + " = " + value);
        }
    }

    /** Sixteen bytes a line with their offset in front, and {@code OFFSET zeroes COUNT} for lines of nothing else. */
    static List<String> dump(ByteBuffer b, int length) {
        List<String> lines = new ArrayList<>();
        int zeroesFrom = -1;
        for (int at = 0; at < length; at += BYTES_PER_LINE) {
            byte[] bytes = new byte[Math.min(BYTES_PER_LINE, length - at)];
            b.get(at, bytes);
            if (isZero(bytes)) {
                zeroesFrom = zeroesFrom < 0 ? at : zeroesFrom;
                continue;
            }
            addZeroes(lines, zeroesFrom, at);
            zeroesFrom = -1;
            lines.add(String.format("%05x  %s", at, SPACED.formatHex(bytes)));
        }
        addZeroes(lines, zeroesFrom, length);
        return lines;
    }

    private static void addZeroes(List<String> lines, int from, int to) {
        if (from >= 0) {
            lines.add(String.format("%05x  zeroes %d", from, to - from));
        }
    }

    private static boolean isZero(byte[] bytes) {
        for (byte each : bytes) {
            if (each != 0) {
                return false;
            }
        }
        return true;
    }

    /** The bytes of {@link #dump}'s lines. */
    static byte[] undump(List<String> lines) {
        List<byte[]> parts = new ArrayList<>();
        int length = 0;
        for (String line : lines) {
            String content = line.substring(7);
            byte[] part = content.startsWith("zeroes ")
                    ? new byte[Integer.parseInt(content.substring(7))]
                    : SPACED.parseHex(content);
            if (Integer.parseInt(line.substring(0, 5), 16) != length) {
                throw new IllegalArgumentException("a line is missing before " + line);
            }
            parts.add(part);
            length += part.length;
        }
        ByteBuffer all = ByteBuffer.allocate(length);
        parts.forEach(all::put);
        return all.array();
    }

    private static String hex(int value) {
        return String.format("0x%08x", value);
    }
}
