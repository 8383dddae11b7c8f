package io.longhorn.frontend.nbd;

/** The numbers of the protocol (section "Values", and "Protocol phases" for magic numbers). All fields are in network byte order. */
final class NbdWire {

    // Handshake.
    static final long INIT_MAGIC = 0x4e42444d41474943L;
    static final long OPTION_MAGIC = 0x49484156454F5054L;
    static final long OPTION_REPLY_MAGIC = 0x3e889045565a9L;
    static final int OPTION_HEADER_BYTES = 16;
    static final int OPTION_REPLY_HEADER_BYTES = 20;
    static final int NAME_BYTES_MAX = 4096;
    /** What follows flags for clients that did not agree to leave it out. */
    static final int ZEROES_BYTES = 124;

    static final int FLAG_FIXED_NEWSTYLE = 1;
    static final int FLAG_NO_ZEROES = 1 << 1;

    static final int OPT_EXPORT_NAME = 1;
    static final int OPT_ABORT = 2;
    static final int OPT_LIST = 3;
    static final int OPT_STARTTLS = 5;
    static final int OPT_INFO = 6;
    static final int OPT_GO = 7;
    static final int OPT_STRUCTURED_REPLY = 8;
    static final int OPT_LIST_META_CONTEXT = 9;
    static final int OPT_SET_META_CONTEXT = 10;

    static final int REP_ACK = 1;
    static final int REP_SERVER = 2;
    static final int REP_INFO = 3;
    static final int REP_META_CONTEXT = 4;
    private static final int REP_ERROR = 1 << 31;
    static final int REP_ERR_UNSUP = REP_ERROR + 1;
    static final int REP_ERR_POLICY = REP_ERROR + 2;
    static final int REP_ERR_INVALID = REP_ERROR + 3;
    static final int REP_ERR_TLS_REQD = REP_ERROR + 5;
    static final int REP_ERR_UNKNOWN = REP_ERROR + 6;
    static final int REP_ERR_TOO_BIG = REP_ERROR + 9;

    static final int INFO_EXPORT = 0;
    static final int INFO_NAME = 1;
    static final int INFO_DESCRIPTION = 2;
    static final int INFO_BLOCK_SIZE = 3;

    static final int MIN_BLOCK_BYTES = 1;
    static final int PREFERRED_BLOCK_BYTES = 4096;

    static final String BASE_NAMESPACE = "base:";
    static final String BASE_ALLOCATION = "base:allocation";
    /** The id that stands for {@link #BASE_ALLOCATION} in replies to block status requests. */
    static final int BASE_ALLOCATION_ID = 1;

    static final int STATE_HOLE = 1;
    static final int STATE_ZERO = 1 << 1;

    // Transmission.
    static final int TRANSMIT_HAS_FLAGS = 1;
    static final int TRANSMIT_READ_ONLY = 1 << 1;
    static final int TRANSMIT_SEND_FLUSH = 1 << 2;
    static final int TRANSMIT_SEND_FUA = 1 << 3;
    static final int TRANSMIT_SEND_TRIM = 1 << 5;
    static final int TRANSMIT_SEND_WRITE_ZEROES = 1 << 6;
    static final int TRANSMIT_SEND_DF = 1 << 7;
    static final int TRANSMIT_CAN_MULTI_CONN = 1 << 8;
    static final int TRANSMIT_SEND_CACHE = 1 << 10;
    static final int TRANSMIT_SEND_FAST_ZERO = 1 << 11;

    static final int REQUEST_MAGIC = 0x25609513;
    static final int SIMPLE_REPLY_MAGIC = 0x67446698;
    static final int STRUCTURED_REPLY_MAGIC = 0x668e33ef;
    static final int REQUEST_BYTES = 28;
    static final int SIMPLE_REPLY_BYTES = 16;
    static final int CHUNK_HEADER_BYTES = 20;
    /** The offset before the data of a chunk. */
    static final int CHUNK_OFFSET_BYTES = 8;

    static final int CMD_READ = 0;
    static final int CMD_WRITE = 1;
    static final int CMD_DISC = 2;
    static final int CMD_FLUSH = 3;
    static final int CMD_TRIM = 4;
    static final int CMD_CACHE = 5;
    static final int CMD_WRITE_ZEROES = 6;
    static final int CMD_BLOCK_STATUS = 7;

    static final int CMD_FLAG_FUA = 1;
    static final int CMD_FLAG_NO_HOLE = 1 << 1;
    static final int CMD_FLAG_DF = 1 << 2;
    static final int CMD_FLAG_REQ_ONE = 1 << 3;
    static final int CMD_FLAG_FAST_ZERO = 1 << 4;

    static final int CHUNK_FLAG_DONE = 1;
    static final int CHUNK_NONE = 0;
    static final int CHUNK_OFFSET_DATA = 1;
    static final int CHUNK_BLOCK_STATUS = 5;
    static final int CHUNK_ERROR = (1 << 15) + 1;
    static final int CHUNK_ERROR_OFFSET = (1 << 15) + 2;

    // Section "Error values": those of Linux.
    static final int EPERM = 1;
    static final int EIO = 5;
    static final int ENOMEM = 12;
    static final int EINVAL = 22;
    static final int ENOSPC = 28;
    static final int EOVERFLOW = 75;
    static final int ESHUTDOWN = 108;

    private NbdWire() {}
}
