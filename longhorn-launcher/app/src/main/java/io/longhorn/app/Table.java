package io.longhorn.app;

import java.util.ArrayList;
import java.util.List;

/** Rows in columns, for people: each column as wide as its widest cell, a heading above. */
public final class Table {

    private static final String GAP = "  ";

    private final List<List<String>> rows = new ArrayList<>();

    /** @param heading of each column */
    public Table(String... heading) {
        rows.add(List.of(heading));
    }

    /** A cell per column; an empty one is shown as a hyphen. */
    public void add(String... cells) {
        if (cells.length != rows.get(0).size()) {
            throw new IllegalArgumentException("a row has " + rows.get(0).size() + " cells, not " + cells.length);
        }
        List<String> row = new ArrayList<>();
        for (String cell : cells) {
            row.add(cell.isEmpty() ? "-" : cell);
        }
        rows.add(row);
    }

    /** A line per row, the heading first. */
    public void printTo(Console console) {
        int columns = rows.get(0).size();
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < columns; i++) {
                line.append(row.get(i))
                        .append(" ".repeat(widths[i] - row.get(i).length()))
                        .append(GAP);
            }
            console.line(line.toString().stripTrailing());
        }
    }
}
