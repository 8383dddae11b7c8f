package io.longhorn.simulator.history;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The contents blocks can have. A block is 8 cells of 512 bytes; a cell is zero or carries the number of the write that wrote it, its own
 * place in the volume, and bytes that follow from both, so that a read tells exactly what it saw. Each distinct content of a block
 * has a small number here; zero is the block of zeroes.
 */
public final class BlockContents {
    public static final int BLOCK_BYTES = 4096;
    public static final int CELLS = 8;
    public static final int CELL_BYTES = BLOCK_BYTES / CELLS;
    public static final int ALL_CELLS = (1 << CELLS) - 1;
    public static final int ZERO = 0;

    private static final long TAG = 0x5A17C0DE0B10C500L;
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private final Map<Content, Integer> numbers = new HashMap<>();
    private final List<int[]> contents = new ArrayList<>();

    private record Content(int[] cells) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Content c && Arrays.equals(cells, c.cells);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(cells);
        }
    }

    public BlockContents() {
        number(new int[CELLS]);
    }

    /** The number of the content whose cells were written by these writes. */
    public int number(int[] cells) {
        Content content = new Content(cells);
        Integer known = numbers.get(content);
        if (known != null) {
            return known;
        }
        int number = contents.size();
        numbers.put(content, number);
        contents.add(cells);
        return number;
    }

    /** Which write wrote the cell; 0: none, it is zero. */
    public int cell(int content, int cell) {
        return contents.get(content)[cell];
    }

    /** The content after write {@code id} (0: zeroing) of the cells in {@code mask}. */
    public int written(int content, int mask, int id) {
        int[] cells = contents.get(content).clone();
        for (int i = 0; i < CELLS; i++) {
            if ((mask & 1 << i) != 0) {
                cells[i] = id;
            }
        }
        return number(cells);
    }

    /** Whether two contents agree in the cells of {@code mask}. */
    public boolean agree(int content, int other, int mask) {
        int[] a = contents.get(content);
        int[] b = contents.get(other);
        for (int i = 0; i < CELLS; i++) {
            if ((mask & 1 << i) != 0 && a[i] != b[i]) {
                return false;
            }
        }
        return true;
    }

    /** For messages. */
    public String describe(int content) {
        return content == ZERO ? "zeroes" : "writes " + Arrays.toString(contents.get(content));
    }

    /** Writes cell {@code cell} of block {@code block}, as write {@code id} has it, to {@code target} at {@code at}. */
    public static void fill(ByteBuffer target, int at, int id, int block, int cell) {
        if (id == 0) {
            for (int i = 0; i < CELL_BYTES; i += 8) {
                target.putLong(at + i, 0);
            }
            return;
        }
        long first = first(id, block, cell);
        target.putLong(at, first);
        long x = first * GOLDEN;
        for (int i = 8; i < CELL_BYTES; i += 8) {
            x += GOLDEN;
            target.putLong(at + i, x);
        }
    }

    private static long first(int id, int block, int cell) {
        return ((long) id << 32 | (long) block << 3 | cell) ^ TAG;
    }

    /** Whose bytes these are: the write's number, 0 for zeroes, -1 for what nobody ever wrote to this place. */
    public static int recognize(ByteBuffer source, int at, int block, int cell) {
        long first = source.getLong(at);
        if (first == 0) {
            for (int i = 8; i < CELL_BYTES; i += 8) {
                if (source.getLong(at + i) != 0) {
                    return -1;
                }
            }
            return 0;
        }
        int id = (int) ((first ^ TAG) >>> 32);
        if (id <= 0 || first != first(id, block, cell)) {
            return -1;
        }
        long x = first * GOLDEN;
        for (int i = 8; i < CELL_BYTES; i += 8) {
            x += GOLDEN;
            if (source.getLong(at + i) != x) {
                return -1;
            }
        }
        return id;
    }
}
