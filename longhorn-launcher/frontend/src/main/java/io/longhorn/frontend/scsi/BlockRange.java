package io.longhorn.frontend.scsi;

/**
 * What a command addresses, inside the unit.
 *
 * @param lba the first logical block
 * @param blocks how many, 0 or more
 */
record BlockRange(long lba, long blocks) {

    /** The range of a command's descriptor block. Ends the command if it leaves the unit, even if it is empty (SBC-3 4.2.2). */
    static BlockRange of(RunningCommand command) {
        return of(command, Cdb.blocks(command.cdb()));
    }

    static BlockRange of(RunningCommand command, long blocks) {
        return checked(command.unit(), Cdb.lba(command.cdb()), blocks);
    }

    static BlockRange checked(LogicalUnit unit, long lba, long blocks) {
        long capacity = unit.blocks();
        if (lba < 0 || lba > capacity || blocks > capacity - lba || (lba == capacity && blocks == 0)) {
            throw new CheckCondition(SenseCode.LBA_OUT_OF_RANGE);
        }
        return new BlockRange(lba, blocks);
    }

    /** The same, if it is short enough to be moved by one command. */
    BlockRange atMost(long blocksMax, int lengthFieldIndex) {
        if (blocks > blocksMax) {
            throw new CheckCondition(Sense.cdbField(lengthFieldIndex));
        }
        return this;
    }

    long offsetBytes() {
        return lba << Cdb.BLOCK_SHIFT;
    }

    long lengthBytes() {
        return blocks << Cdb.BLOCK_SHIFT;
    }

    boolean isEmpty() {
        return blocks == 0;
    }
}
