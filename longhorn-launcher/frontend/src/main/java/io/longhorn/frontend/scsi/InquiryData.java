package io.longhorn.frontend.scsi;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;

/** What INQUIRY answers: standard data (SPC-4 6.6.2) and vital product data (SPC-4 7.8, SBC-3 6.6). */
final class InquiryData {

    /** Peripheral qualifier 001b, device type 1Fh: here could be a unit, and is none. */
    static final int NO_DEVICE_CONNECTED = 0x3f;

    /** Peripheral qualifier 011b, device type 1Fh: there is no such unit. */
    static final int NO_SUCH_UNIT = 0x7f;

    private static final int DIRECT_ACCESS_BLOCK_DEVICE = 0x00;
    private static final int VITAL_PRODUCT_DATA_MASK = 0x01;
    private static final int OBSOLETE_MASK = 0x02;

    private static final String VENDOR = "LONGHORN";
    private static final String PRODUCT = "VOLUME";
    private static final String REVISION = "0001";
    private static final int SPC_4 = 0x06;
    private static final int HIERARCHICAL_SUPPORT_AND_FORMAT_2 = 0x12;
    private static final int COMMAND_QUEUE = 0x02;
    private static final int STANDARD_BYTES = 96;

    /** SAM-5, SPC-4, SBC-3, iSCSI, none of them of a certain revision (SPC-4 table 144). */
    private static final short[] VERSIONS = {0x00a0, 0x0460, 0x04c0, 0x0960};

    private static final int CODE_ASCII = 2;
    private static final int CODE_BINARY = 1;
    private static final int CODE_UTF_8 = 3;
    private static final int ISCSI_PROTOCOL = 0x50;
    private static final int OF_UNIT = 0x00;
    private static final int OF_PORT = 0x90;
    private static final int OF_TARGET = 0xa0;
    private static final int T10_VENDOR_ID = 1;
    private static final int NAA = 3;
    private static final int RELATIVE_PORT = 4;
    private static final int SCSI_NAME = 8;
    private static final long NAA_LOCALLY_ASSIGNED = 3L << 60;

    /** The only target port. */
    static final int RELATIVE_PORT_NUMBER = 1;

    /** The lengths and granularities that initiators should keep to, in logical blocks. */
    private static final int OPTIMAL_GRANULARITY_BLOCKS = 8;

    private static final int OPTIMAL_TRANSFER_BLOCKS = 2048;
    private static final int ALIGNMENT_VALID = 0x8000_0000;

    private static final Map<Integer, Function<ScsiTargetSpec, byte[]>> PAGES = new TreeMap<>(Map.of(
            0x00, spec -> supportedPages(),
            0x80, InquiryData::serialNumber,
            0x83, InquiryData::identification,
            0x86, spec -> extendedInquiry(),
            0xb0, spec -> blockLimits(),
            0xb1, spec -> blockCharacteristics(),
            0xb2, spec -> provisioning()));

    private InquiryData() {}

    static void inquire(RunningCommand command) {
        byte[] cdb = command.cdb();
        int page = Cdb.u8(cdb, 2);
        if (Cdb.isSet(cdb, 1, OBSOLETE_MASK)) {
            throw new CheckCondition(Sense.cdbField(1, 1));
        }
        if (!Cdb.isSet(cdb, 1, VITAL_PRODUCT_DATA_MASK)) {
            if (page != 0) {
                throw new CheckCondition(Sense.cdbField(2));
            }
            command.good(standard(DIRECT_ACCESS_BLOCK_DEVICE), Cdb.u16(cdb, 3));
            return;
        }
        Function<ScsiTargetSpec, byte[]> content = PAGES.get(page);
        if (content == null) {
            throw new CheckCondition(Sense.cdbField(2));
        }
        command.good(page(page, content.apply(command.unit().spec())), Cdb.u16(cdb, 3));
    }

    static byte[] standard(int peripheral) {
        ByteBuffer data = ByteBuffer.allocate(STANDARD_BYTES);
        data.put((byte) peripheral).put((byte) 0).put((byte) SPC_4).put((byte) HIERARCHICAL_SUPPORT_AND_FORMAT_2);
        data.put((byte) (STANDARD_BYTES - 5)).put((byte) 0).put((byte) 0).put((byte) COMMAND_QUEUE);
        data.put(padded(VENDOR, 8)).put(padded(PRODUCT, 16)).put(padded(REVISION, 4));
        data.position(58);
        for (short version : VERSIONS) {
            data.putShort(version);
        }
        return data.array();
    }

    private static byte[] padded(String text, int lengthBytes) {
        return (text + " ".repeat(lengthBytes - text.length())).getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] page(int code, byte[] content) {
        ByteBuffer page = ByteBuffer.allocate(4 + content.length);
        page.put((byte) DIRECT_ACCESS_BLOCK_DEVICE).put((byte) code).putShort((short) content.length);
        return page.put(content).array();
    }

    private static byte[] supportedPages() {
        byte[] codes = new byte[PAGES.size()];
        int i = 0;
        for (int code : PAGES.keySet()) {
            codes[i++] = (byte) code;
        }
        return codes;
    }

    private static byte[] serialNumber(ScsiTargetSpec spec) {
        return serial(spec.device().id()).getBytes(StandardCharsets.US_ASCII);
    }

    private static String serial(UUID id) {
        return id.toString().replace("-", "");
    }

    private static byte[] identification(ScsiTargetSpec spec) {
        UUID id = spec.device().id();
        byte[] naa = ByteBuffer.allocate(8).putLong(naa(id)).array();
        byte[] vendor = (VENDOR + serial(id)).getBytes(StandardCharsets.US_ASCII);
        byte[] port = {0, 0, 0, RELATIVE_PORT_NUMBER};
        byte[] portName = scsiName(spec.name() + ",t,0x" + String.format("%04x", RELATIVE_PORT_NUMBER));
        byte[] targetName = scsiName(spec.name());
        ByteBuffer page = ByteBuffer.allocate(
                5 * 4 + naa.length + vendor.length + port.length + portName.length + targetName.length);
        putDesignator(page, CODE_BINARY, OF_UNIT | NAA, naa);
        putDesignator(page, CODE_ASCII, OF_UNIT | T10_VENDOR_ID, vendor);
        putDesignator(page, ISCSI_PROTOCOL | CODE_BINARY, OF_PORT | RELATIVE_PORT, port);
        putDesignator(page, ISCSI_PROTOCOL | CODE_UTF_8, OF_PORT | SCSI_NAME, portName);
        putDesignator(page, ISCSI_PROTOCOL | CODE_UTF_8, OF_TARGET | SCSI_NAME, targetName);
        return page.array();
    }

    private static void putDesignator(ByteBuffer page, int code, int kind, byte[] designator) {
        page.put((byte) code)
                .put((byte) kind)
                .put((byte) 0)
                .put((byte) designator.length)
                .put(designator);
    }

    /** Terminated by a zero, padded to a multiple of four (SPC-4 7.8.6.11). */
    private static byte[] scsiName(String name) {
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate((text.length + 4) & ~3).put(text).array();
    }

    /** The same 60 bits wherever and whenever the volume is served, since initiators find their paths by it. */
    private static long naa(UUID id) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256").digest(id.toString().getBytes(StandardCharsets.US_ASCII));
            return NAA_LOCALLY_ASSIGNED | ByteBuffer.wrap(digest).getLong() >>> 4;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static byte[] extendedInquiry() {
        byte[] page = new byte[60];
        page[5 - 4] = 0x07; // HEADSUP, ORDSUP, SIMPSUP
        page[6 - 4] = 0x01; // V_SUP: there is a volatile cache
        return page;
    }

    private static byte[] blockLimits() {
        ByteBuffer page = ByteBuffer.allocate(60);
        page.put(5 - 4, (byte) CompareCommands.COMPARE_AND_WRITE_BLOCKS_MAX);
        page.putShort(6 - 4, (short) OPTIMAL_GRANULARITY_BLOCKS);
        page.putInt(8 - 4, ScsiTarget.TRANSFER_BLOCKS_MAX);
        page.putInt(12 - 4, OPTIMAL_TRANSFER_BLOCKS);
        page.putInt(20 - 4, ProvisioningCommands.UNMAP_BLOCKS_MAX);
        page.putInt(24 - 4, ProvisioningCommands.UNMAP_DESCRIPTORS_MAX);
        page.putInt(28 - 4, OPTIMAL_GRANULARITY_BLOCKS);
        page.putInt(32 - 4, ALIGNMENT_VALID);
        page.putLong(36 - 4, ProvisioningCommands.WRITE_SAME_BLOCKS_MAX);
        return page.array();
    }

    private static byte[] blockCharacteristics() {
        byte[] page = new byte[60];
        page[5 - 4] = 1; // non-rotating
        return page;
    }

    private static byte[] provisioning() {
        byte[] page = new byte[4];
        page[5 - 4] = (byte) 0xe4; // LBPU, LBPWS, LBPWS10, LBPRZ: deallocated blocks read as zeroes
        page[6 - 4] = 0x02; // thin
        return page;
    }
}
