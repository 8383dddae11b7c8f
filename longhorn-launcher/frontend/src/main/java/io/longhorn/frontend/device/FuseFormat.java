package io.longhorn.frontend.device;

/**
 * Where things lie in the messages between the kernel and a FUSE server, as of version 7.31 (include/uapi/linux/fuse.h). Byte order is the machine's. A request begins with
 * the header, an answer with a shorter one.
 *
 * <pre>
 * request  length 4 | opcode 4 | unique 8 | node 8 | user 4 | group 4 | process 4 | padding 4 | body
 * answer   length 4 | error 4, 0 or negative | unique 8 | body
 * </pre>
 */
final class FuseFormat {

    static final int MAJOR = 7;

    /** The first version that every kernel with the loop device's {@code LOOP_CONFIGURE} (5.8) speaks. */
    static final int MINOR = 31;

    static final int LOOKUP = 1;
    static final int FORGET = 2;
    static final int GETATTR = 3;
    static final int OPEN = 14;
    static final int READ = 15;
    static final int WRITE = 16;
    static final int STATFS = 17;
    static final int RELEASE = 18;
    static final int FSYNC = 20;
    static final int FLUSH = 25;
    static final int INIT = 26;
    static final int INTERRUPT = 36;
    static final int DESTROY = 38;
    static final int BATCH_FORGET = 42;
    static final int FALLOCATE = 43;

    static final int IN_LENGTH = 0;
    static final int IN_OPCODE = 4;
    static final int IN_UNIQUE = 8;
    static final int IN_BODY = 40;

    static final int OUT_LENGTH = 0;
    static final int OUT_ERROR = 4;
    static final int OUT_UNIQUE = 8;
    static final int OUT_BODY = 16;

    static final int INIT_IN_MAJOR = IN_BODY;
    static final int INIT_IN_MINOR = IN_BODY + 4;
    static final int INIT_IN_READ_AHEAD = IN_BODY + 8;
    static final int INIT_IN_FLAGS = IN_BODY + 12;
    static final int INIT_IN_BYTES = 16;

    static final int INIT_OUT_MAJOR = OUT_BODY;
    static final int INIT_OUT_MINOR = OUT_BODY + 4;
    static final int INIT_OUT_READ_AHEAD = OUT_BODY + 8;
    static final int INIT_OUT_FLAGS = OUT_BODY + 12;
    static final int INIT_OUT_BACKGROUND_MAX = OUT_BODY + 16;
    static final int INIT_OUT_CONGESTED = OUT_BODY + 18;
    static final int INIT_OUT_WRITE_MAX = OUT_BODY + 20;
    static final int INIT_OUT_TIME_UNIT = OUT_BODY + 24;
    static final int INIT_OUT_PAGES_MAX = OUT_BODY + 28;
    static final int INIT_OUT_BYTES = 64;

    /** Several reads of one file at once. */
    static final int FLAG_ASYNC_READ = 1;
    /** Writes larger than a page. */
    static final int FLAG_BIG_WRITES = 1 << 5;
    /** Direct I/O that was submitted asynchronously, as the loop device does, is sent on asynchronously. */
    static final int FLAG_ASYNC_DIO = 1 << 15;
    /** {@link #INIT_OUT_PAGES_MAX} counts. */
    static final int FLAG_MAX_PAGES = 1 << 22;

    static final int GETATTR_IN_BYTES = 16;
    /** How long the answer holds (8, 4 and 4 of padding), then the attributes. */
    static final int GETATTR_OUT_BYTES = 104;

    static final int ATTRIBUTES = OUT_BODY + 16;
    static final int ATTRIBUTE_NODE = ATTRIBUTES;
    static final int ATTRIBUTE_SIZE = ATTRIBUTES + 8;
    static final int ATTRIBUTE_SECTORS = ATTRIBUTES + 16;
    static final int ATTRIBUTE_MODE = ATTRIBUTES + 60;
    static final int ATTRIBUTE_LINKS = ATTRIBUTES + 64;
    static final int ATTRIBUTE_USER = ATTRIBUTES + 68;
    static final int ATTRIBUTE_GROUP = ATTRIBUTES + 72;
    static final int ATTRIBUTE_BLOCK = ATTRIBUTES + 80;

    static final int OPEN_IN_FLAGS = IN_BODY;
    static final int OPEN_IN_BYTES = 8;
    static final int OPEN_OUT_FLAGS = OUT_BODY + 8;
    static final int OPEN_OUT_BYTES = 16;
    static final int OPEN_DIRECT_IO = 1;
    /** Without it the kernel submits one write at a time. Kernels that do not know it ignore it. */
    static final int OPEN_PARALLEL_WRITES = 1 << 6;

    /** The same places in requests to read and to write. */
    static final int TRANSFER_OFFSET = IN_BODY + 8;

    static final int TRANSFER_LENGTH = IN_BODY + 16;
    static final int TRANSFER_IN_BYTES = 40;
    static final int WRITE_DATA = IN_BODY + TRANSFER_IN_BYTES;
    static final int WRITE_OUT_LENGTH = OUT_BODY;
    static final int WRITE_OUT_BYTES = 8;

    static final int FSYNC_IN_BYTES = 16;

    static final int FALLOCATE_OFFSET = IN_BODY + 8;
    static final int FALLOCATE_LENGTH = IN_BODY + 16;
    static final int FALLOCATE_MODE = IN_BODY + 24;
    static final int FALLOCATE_IN_BYTES = 32;
    static final int FALLOCATE_KEEP_SIZE = 1;
    static final int FALLOCATE_PUNCH_HOLE = 2;
    static final int FALLOCATE_ZERO_RANGE = 16;

    static final int STATFS_BLOCKS = OUT_BODY;
    static final int STATFS_BLOCK_BYTES = OUT_BODY + 40;
    static final int STATFS_NAME_BYTES_MAX = OUT_BODY + 44;
    static final int STATFS_FRAGMENT_BYTES = OUT_BODY + 48;
    static final int STATFS_OUT_BYTES = 80;

    private FuseFormat() {}
}
