package io.longhorn.frontend.scsi;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** Every command that a unit knows, by operation code and service action. */
final class CommandTable {

    private static final int SERVICE_ACTIONS = 32;

    private static final List<SupportedCommand> ALL = new ArrayList<>();
    private static final @Nullable SupportedCommand[][] BY_CODE = new SupportedCommand[256][];

    private static final String LBA_10 = "ffffffff";
    private static final String LENGTH_10 = "00ffff00";
    private static final String LBA_AND_LENGTH_10 = LBA_10 + LENGTH_10;
    private static final String LBA_AND_LENGTH_12 = "ffffffffffffffff0000";
    private static final String LBA_16 = "ffffffffffffffff";
    private static final String LBA_AND_LENGTH_16 = LBA_16 + "ffffffff0000";

    static {
        ToLongFunction<byte[]> blocks = cdb -> Cdb.blocks(cdb) << Cdb.BLOCK_SHIFT;

        add("000000000000", Access.FREE, UnitCommands::testUnitReady);
        add("03010000ff00", Access.ALWAYS, UnitCommands::requestSense);
        add("081fffffff00", Access.READ, TransferCommands::read);
        add("0a1fffffff00", Access.WRITE, blocks, TransferCommands::write);
        add("1201ffffff00", Access.ALWAYS, InquiryData::inquire);
        add("15110000ff00", Access.WRITE, ModePages::selectDataOut, ModePages::select);
        add("160000000000", Access.FREE, command -> command.unit().reserve(command));
        add("170000000000", Access.RELEASE, command -> command.unit().release(command));
        add("1a08ffffff00", Access.WRITE, ModePages::sense);
        add(
                "1b0100000100",
                cdb -> UnitCommands.onlyStarts(cdb) ? Access.FREE : Access.WRITE,
                UnitCommands::startStopUnit);
        add(
                "1e0000000100",
                cdb -> UnitCommands.allowsRemoval(cdb) ? Access.FREE : Access.WRITE,
                UnitCommands::preventAllow);

        add("2500" + LBA_10 + "00000100", Access.FREE, UnitCommands::readCapacity10);
        add("2818" + LBA_AND_LENGTH_10, Access.READ, TransferCommands::read);
        add("2a18" + LBA_AND_LENGTH_10, Access.WRITE, blocks, TransferCommands::write);
        add("2e12" + LBA_AND_LENGTH_10, Access.WRITE, blocks, CompareCommands::writeAndVerify);
        add("2f16" + LBA_AND_LENGTH_10, Access.READ, CompareCommands::verifyDataOut, CompareCommands::verify);
        add("3402" + LBA_AND_LENGTH_10, Access.READ, TransferCommands::prefetch);
        add("3502" + LBA_AND_LENGTH_10, Access.WRITE, TransferCommands::synchronizeCache);
        add(
                "4108" + LBA_AND_LENGTH_10,
                Access.WRITE,
                ProvisioningCommands::writeSameDataOut,
                ProvisioningCommands::writeSame);
        add("42000000000000ffff00", Access.WRITE, cdb -> Cdb.u16(cdb, 7), ProvisioningCommands::unmap);
        add("55110000000000ffff00", Access.WRITE, ModePages::selectDataOut, ModePages::select);
        add("5a18ffff000000ffff00", Access.WRITE, ModePages::sense);
        for (int action = 0; action <= ReserveIn.SERVICE_ACTION_MAX; action++) {
            addAction("5e%02x0000000000ffff00", action, Access.FREE, cdb -> 0, ReserveIn::run);
        }
        for (int action = 0; action <= ReserveOut.SERVICE_ACTION_MAX; action++) {
            addAction("5f%02xff0000ffffffff00", action, Access.RESERVE, ReserveOut::dataOut, ReserveOut::run);
        }

        add("8818" + LBA_AND_LENGTH_16, Access.READ, TransferCommands::read);
        add(
                "8918" + LBA_16 + "000000ff0000",
                Access.WRITE,
                CompareCommands::compareAndWriteDataOut,
                CompareCommands::compareAndWrite);
        add("8a18" + LBA_AND_LENGTH_16, Access.WRITE, blocks, TransferCommands::write);
        add("8b18" + LBA_AND_LENGTH_16, Access.WRITE, blocks, CompareCommands::orWrite);
        add("8e12" + LBA_AND_LENGTH_16, Access.WRITE, blocks, CompareCommands::writeAndVerify);
        add("8f16" + LBA_AND_LENGTH_16, Access.READ, CompareCommands::verifyDataOut, CompareCommands::verify);
        add("9002" + LBA_AND_LENGTH_16, Access.READ, TransferCommands::prefetch);
        add("9102" + LBA_AND_LENGTH_16, Access.WRITE, TransferCommands::synchronizeCache);
        add(
                "9309" + LBA_AND_LENGTH_16,
                Access.WRITE,
                ProvisioningCommands::writeSameDataOut,
                ProvisioningCommands::writeSame);
        addAction("9e%02x0000000000000000ffffffff0000", 0x10, Access.FREE, cdb -> 0, UnitCommands::readCapacity16);
        addAction("9e%02x" + LBA_AND_LENGTH_16, 0x12, Access.READ, cdb -> 0, ProvisioningCommands::getLbaStatus);

        add("a000ff000000ffffffff0000", Access.ALWAYS, UnitCommands::reportLuns);
        addAction("a3%02x87ffffffffffffff0000", 0x0c, Access.READ, cdb -> 0, ReportCommands::operationCodes);
        addAction("a3%02x80000000ffffffff0000", 0x0d, Access.READ, cdb -> 0, ReportCommands::taskManagement);
        add("a818" + LBA_AND_LENGTH_12, Access.READ, TransferCommands::read);
        add("aa18" + LBA_AND_LENGTH_12, Access.WRITE, blocks, TransferCommands::write);
        add("ae12" + LBA_AND_LENGTH_12, Access.WRITE, blocks, CompareCommands::writeAndVerify);
        add("af16" + LBA_AND_LENGTH_12, Access.READ, CompareCommands::verifyDataOut, CompareCommands::verify);
    }

    private CommandTable() {}

    private static void add(String usage, Access access, Consumer<RunningCommand> run) {
        add(usage, access, cdb -> 0, run);
    }

    private static void add(String usage, Function<byte[], Access> access, Consumer<RunningCommand> run) {
        put(new SupportedCommand(HexFormat.of().parseHex(usage), SupportedCommand.NONE, access, cdb -> 0, run));
    }

    private static void add(String usage, Access access, ToLongFunction<byte[]> dataOut, Consumer<RunningCommand> run) {
        put(new SupportedCommand(HexFormat.of().parseHex(usage), SupportedCommand.NONE, cdb -> access, dataOut, run));
    }

    private static void addAction(
            String usage, int action, Access access, ToLongFunction<byte[]> dataOut, Consumer<RunningCommand> run) {
        byte[] bytes = HexFormat.of().parseHex(String.format(usage, action));
        put(new SupportedCommand(bytes, action, cdb -> access, dataOut, run));
    }

    private static void put(SupportedCommand command) {
        ALL.add(command);
        int code = command.operationCode();
        if (BY_CODE[code] == null) {
            BY_CODE[code] = new SupportedCommand[command.hasServiceAction() ? SERVICE_ACTIONS : 1];
        }
        BY_CODE[code][command.hasServiceAction() ? command.serviceAction() : 0] = command;
    }

    static List<SupportedCommand> all() {
        return List.copyOf(ALL);
    }

    /** Whether any command has that operation code. */
    static boolean knows(int operationCode) {
        return BY_CODE[operationCode] != null;
    }

    /** Whether the commands of that operation code have service actions. */
    static boolean hasServiceActions(int operationCode) {
        return knows(operationCode) && BY_CODE[operationCode].length > 1;
    }

    static @Nullable SupportedCommand find(byte[] cdb) {
        return find(Cdb.operationCode(cdb), Cdb.serviceAction(cdb));
    }

    /** The command; the service action matters only where there are some. */
    static @Nullable SupportedCommand find(int operationCode, int serviceAction) {
        @Nullable SupportedCommand @Nullable [] commands = BY_CODE[operationCode];
        if (commands == null) {
            return null;
        }
        if (commands.length == 1) {
            return commands[0];
        }
        return serviceAction < commands.length ? commands[serviceAction] : null;
    }
}
