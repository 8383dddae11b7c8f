package io.longhorn.frontend.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** What a loop device is told and tells (include/uapi/linux/loop.h): {@code struct loop_info64}, and {@code struct loop_config} around it. Byte order is the machine's. */
final class LoopStatus {

    static final int FLAG_READ_ONLY = 1;
    static final int FLAG_AUTO_CLEAR = 4;
    static final int FLAG_DIRECT_IO = 16;

    /** Without the zero at its end. */
    static final int LABEL_BYTES_MAX = 63;

    static final int INFO_BYTES = 232;
    static final int CONFIG_BYTES = 8 + INFO_BYTES + 64;

    private static final int INFO_FLAGS = 52;
    private static final int INFO_LABEL = 56;
    private static final int CONFIG_BLOCK_BYTES = 4;
    private static final int CONFIG_INFO = 8;

    private LoopStatus() {}

    /** Offset and size limit stay 0: the whole file, however long it is. */
    static ByteBuffer config(int fileDescriptor, int blockBytes, int flags, String label) {
        byte[] bytes = label.getBytes(StandardCharsets.UTF_8);
        ByteBuffer config = ByteBuffer.allocateDirect(CONFIG_BYTES).order(ByteOrder.nativeOrder());
        config.putInt(0, fileDescriptor).putInt(CONFIG_BLOCK_BYTES, blockBytes);
        config.putInt(CONFIG_INFO + INFO_FLAGS, flags);
        config.put(CONFIG_INFO + INFO_LABEL, bytes, 0, Math.min(bytes.length, LABEL_BYTES_MAX));
        return config;
    }

    static ByteBuffer info() {
        return ByteBuffer.allocateDirect(INFO_BYTES).order(ByteOrder.nativeOrder());
    }

    static int flags(ByteBuffer info) {
        return info.getInt(INFO_FLAGS);
    }

    static void flags(ByteBuffer info, int flags) {
        info.putInt(INFO_FLAGS, flags);
    }

    static String label(ByteBuffer info) {
        byte[] bytes = new byte[LABEL_BYTES_MAX];
        info.get(INFO_LABEL, bytes);
        int length = 0;
        while (length < bytes.length && bytes[length] != 0) {
            length++;
        }
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }
}
