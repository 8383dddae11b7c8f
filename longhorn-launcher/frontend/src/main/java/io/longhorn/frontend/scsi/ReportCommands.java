package io.longhorn.frontend.scsi;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** REPORT SUPPORTED OPERATION CODES and REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-4 6.34, 6.35). */
final class ReportCommands {

    private static final int TIMEOUTS_MASK = 0x80;
    private static final int OPTIONS_MASK = 0x07;
    private static final int OPTIONS_BIT = 2;
    private static final int ALL = 0;
    private static final int ONE_WITHOUT_ACTION = 1;
    private static final int ONE_WITH_ACTION = 2;
    private static final int ONE_OF_EITHER = 3;

    private static final int DESCRIPTOR_BYTES = 8;
    private static final int TIMEOUTS_BYTES = 12;
    private static final int DESCRIPTOR_HAS_ACTION = 0x01;
    private static final int DESCRIPTOR_HAS_TIMEOUTS = 0x02;
    private static final int ONE_HAS_TIMEOUTS = 0x80;
    private static final int NOT_SUPPORTED = 1;
    private static final int SUPPORTED_AS_STANDARD = 3;

    /** ABORT TASK, ABORT TASK SET, CLEAR TASK SET, LOGICAL UNIT RESET, TARGET RESET. */
    private static final int FUNCTIONS = 0x80 | 0x40 | 0x10 | 0x08 | 0x02;

    private static final int FUNCTIONS_BYTES = 4;
    private static final int FUNCTIONS_WITH_TIMEOUTS_BYTES = 16;

    private ReportCommands() {}

    static void operationCodes(RunningCommand command) {
        byte[] cdb = command.cdb();
        boolean timeouts = Cdb.isSet(cdb, 2, TIMEOUTS_MASK);
        byte[] answer = switch (cdb[2] & OPTIONS_MASK) {
            case ALL -> all(timeouts);
            case ONE_WITHOUT_ACTION -> {
                checkActions(cdb, false);
                yield one(CommandTable.find(Cdb.u8(cdb, 3), 0), timeouts);
            }
            case ONE_WITH_ACTION -> {
                checkActions(cdb, true);
                yield one(CommandTable.find(Cdb.u8(cdb, 3), Cdb.u16(cdb, 4)), timeouts);
            }
            case ONE_OF_EITHER -> one(either(cdb), timeouts);
            default -> throw new CheckCondition(Sense.cdbField(2, OPTIONS_BIT));
        };
        command.good(answer, Cdb.u32(cdb, 6));
    }

    private static void checkActions(byte[] cdb, boolean wanted) {
        int code = Cdb.u8(cdb, 3);
        if (CommandTable.knows(code) && CommandTable.hasServiceActions(code) != wanted) {
            throw new CheckCondition(Sense.cdbField(2, OPTIONS_BIT));
        }
    }

    private static @Nullable SupportedCommand either(byte[] cdb) {
        int code = Cdb.u8(cdb, 3);
        int action = Cdb.u16(cdb, 4);
        return action != 0 && !CommandTable.hasServiceActions(code) ? null : CommandTable.find(code, action);
    }

    private static byte[] all(boolean timeouts) {
        int each = DESCRIPTOR_BYTES + (timeouts ? TIMEOUTS_BYTES : 0);
        ByteBuffer data = ByteBuffer.allocate(4 + CommandTable.all().size() * each);
        data.putInt(data.capacity() - 4);
        for (SupportedCommand supported : CommandTable.all()) {
            boolean hasAction = supported.hasServiceAction();
            data.put((byte) supported.operationCode()).put((byte) 0);
            data.putShort((short) (hasAction ? supported.serviceAction() : 0)).put((byte) 0);
            data.put((byte) ((hasAction ? DESCRIPTOR_HAS_ACTION : 0) | (timeouts ? DESCRIPTOR_HAS_TIMEOUTS : 0)));
            data.putShort((short) supported.usage().length);
            putTimeouts(data, timeouts);
        }
        return data.array();
    }

    private static byte[] one(@Nullable SupportedCommand supported, boolean timeouts) {
        if (supported == null) {
            return new byte[] {0, NOT_SUPPORTED, 0, 0};
        }
        byte[] usage = supported.usage();
        ByteBuffer data = ByteBuffer.allocate(4 + usage.length + (timeouts ? TIMEOUTS_BYTES : 0));
        data.put((byte) 0).put((byte) (SUPPORTED_AS_STANDARD | (timeouts ? ONE_HAS_TIMEOUTS : 0)));
        data.putShort((short) usage.length).put(usage);
        putTimeouts(data, timeouts);
        return data.array();
    }

    /** All of them zero: none is recommended. */
    private static void putTimeouts(ByteBuffer data, boolean timeouts) {
        if (timeouts) {
            data.putShort((short) (TIMEOUTS_BYTES - 2)).put(new byte[TIMEOUTS_BYTES - 2]);
        }
    }

    static void taskManagement(RunningCommand command) {
        byte[] cdb = command.cdb();
        boolean timeouts = Cdb.isSet(cdb, 2, TIMEOUTS_MASK);
        byte[] data = new byte[timeouts ? FUNCTIONS_WITH_TIMEOUTS_BYTES : FUNCTIONS_BYTES];
        data[0] = (byte) FUNCTIONS;
        data[3] = (byte) (data.length - FUNCTIONS_BYTES);
        command.good(data, Cdb.u32(cdb, 6));
    }
}
