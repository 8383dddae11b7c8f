package io.longhorn.app;

import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes maps, lists, texts, numbers, truth values and null as JSON (RFC 8259), indented by two spaces. */
public final class Json {

    private final StringBuilder text = new StringBuilder();

    private Json() {}

    public static String of(Object value) {
        Json json = new Json();
        json.value(value, "\n");
        return json.text.append('\n').toString();
    }

    /** The same in one line, without a line end. */
    public static String line(Object value) {
        // Texts have no line ends of their own: they are escaped.
        return of(value).strip().replaceAll("\n *", " ");
    }

    private void value(@Nullable Object value, String lineEnd) {
        if (value == null) {
            text.append("null");
        } else if (value instanceof Map<?, ?> map) {
            object(map, lineEnd);
        } else if (value instanceof List<?> list) {
            array(list, lineEnd);
        } else if (value instanceof Double number) {
            // Neither infinity nor "not a number" exists in JSON.
            text.append(Double.isFinite(number) ? String.format(Locale.ROOT, "%.3f", number) : "null");
        } else if (value instanceof Integer || value instanceof Long || value instanceof Boolean) {
            text.append(value);
        } else {
            string(value.toString());
        }
    }

    private void object(Map<?, ?> map, String lineEnd) {
        String inner = lineEnd + "  ";
        text.append('{');
        Iterator<? extends Map.Entry<?, ?>> entries = map.entrySet().iterator();
        while (entries.hasNext()) {
            Map.Entry<?, ?> entry = entries.next();
            text.append(inner);
            string(String.valueOf(entry.getKey()));
            text.append(": ");
            value(entry.getValue(), inner);
            text.append(entries.hasNext() ? "," : lineEnd);
        }
        text.append('}');
    }

    private void array(List<?> list, String lineEnd) {
        String inner = lineEnd + "  ";
        text.append('[');
        Iterator<?> elements = list.iterator();
        while (elements.hasNext()) {
            text.append(inner);
            value(elements.next(), inner);
            text.append(elements.hasNext() ? "," : lineEnd);
        }
        text.append(']');
    }

    private void string(String value) {
        text.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '"' -> text.append("\\\"");
                case '\\' -> text.append("\\\\");
                case '\n' -> text.append("\\n");
                default -> {
                    if (c < 0x20) {
                        text.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        text.append(c);
                    }
                }
            }
        }
        text.append('"');
    }
}
