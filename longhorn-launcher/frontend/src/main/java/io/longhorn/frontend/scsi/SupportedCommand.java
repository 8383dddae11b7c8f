package io.longhorn.frontend.scsi;

import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/**
 * A command that a unit knows.
 *
 * @param usage its CDB USAGE DATA (SPC-4 6.34.3): the operation code, and where it has one the service action, as they are; elsewhere the bits that are looked at
 * @param serviceAction {@link #NONE} if it has none
 * @param access what it is to reservations, given its descriptor block
 * @param dataOut how many bytes it wants, given its descriptor block; of an arbitrary one too
 * @param run runs it; ends it, or sees to it that it is ended, or throws
 */
record SupportedCommand(
        byte[] usage,
        int serviceAction,
        Function<byte[], Access> access,
        ToLongFunction<byte[]> dataOut,
        Consumer<RunningCommand> run) {

    static final int NONE = -1;

    int operationCode() {
        return usage[0] & 0xff;
    }

    boolean hasServiceAction() {
        return serviceAction != NONE;
    }
}
