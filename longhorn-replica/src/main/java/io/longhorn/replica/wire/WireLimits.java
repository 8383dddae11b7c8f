package io.longhorn.replica.wire;

/**
 * How much of anything a message may carry. Senders keep to them (an encoder that is given more throws
 * {@link IllegalArgumentException}), receivers refuse more before they allocate. Why each has its value:
 * {@code docs/format/wire.md}, section 10.
 */
public final class WireLimits {
    /** The first frame of a connection, a HELLO: a stranger gets no more memory. */
    public static final int FIRST_FRAME_BYTES_MAX = 4 << 10;

    /** UTF-8 bytes of a volume's or snapshot's name; the API allows 63 ASCII characters. */
    public static final int NAME_BYTES_MAX = 63;

    /** UTF-8 bytes of a host's boot id. */
    public static final int BOOT_ID_BYTES_MAX = 128;
    /** UTF-8 bytes of the shared secret. */
    public static final int TOKEN_BYTES_MAX = 1024;
    /** UTF-8 bytes of an error's words. Longer ones are cut, not refused: an error must get through. */
    public static final int DETAIL_BYTES_MAX = 1024;

    /** Labels of a snapshot. */
    public static final int LABELS_MAX = 64;

    public static final int LABEL_KEY_BYTES_MAX = 128;
    public static final int LABEL_VALUE_BYTES_MAX = 1024;
    /**
     * Bytes of all labels of a snapshot as encoded: keys, values and 4 bytes per pair. 250 snapshots with this much fit one
     * message beside {@link #LAYERS_MAX} layers.
     */
    public static final int LABELS_BYTES_MAX = 3072;

    /** Layers of a volume: 250 snapshots, the head, residual layers, and removed layers with several children. */
    public static final int LAYERS_MAX = 768;
    /** Members of a view. */
    public static final int MEMBERS_MAX = 32;
    /** Replicas of a server that one answer lists, and with it replicas that a server may keep. */
    public static final int REPLICAS_MAX = 8192;
    /** Blocks that a LAYER_READ may name; as many as its answer has entries at most. */
    public static final int LAYER_READ_BLOCKS_MAX = LayerBlocksLayout.ENTRIES_MAX;

    private WireLimits() {}
}
