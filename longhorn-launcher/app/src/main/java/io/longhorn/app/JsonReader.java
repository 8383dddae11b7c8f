package io.longhorn.app;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.exc.StreamReadException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads JSON (RFC 8259) into maps, lists, texts, {@code Long}s, {@code Double}s, truth values and null; the counterpart of {@link Json}. An object that names a field twice is
 * refused. Small documents only: what is read is bounded by the caller, how deep it may nest here.
 */
public final class JsonReader {

    /** Deeper than any document of ours. */
    private static final int DEPTH_MAX = 20;

    private static final JsonFactory FACTORY = new JsonFactoryBuilder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(DEPTH_MAX).build())
            .build();

    private final JsonParser parser;

    private JsonReader(JsonParser parser) {
        this.parser = parser;
    }

    /**
     * Reads a text that is one value.
     *
     * @throws IllegalArgumentException if it is none; says what is wrong and where
     */
    public static @Nullable Object read(String text) {
        try (JsonParser parser = FACTORY.createParser(text)) {
            parser.nextToken();
            Object value = new JsonReader(parser).value();
            if (parser.nextToken() != null) {
                throw new IllegalArgumentException("not JSON: something follows the value" + place(parser));
            }
            return value;
        } catch (StreamReadException | StreamConstraintsException e) {
            throw new IllegalArgumentException("not JSON: " + e.getOriginalMessage() + place(e.getLocation()), e);
        } catch (IOException e) {
            // A text in memory cannot fail otherwise.
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Reads a text that is one object.
     *
     * @throws IllegalArgumentException if it is none
     */
    public static Map<String, Object> readObject(String text) {
        if (read(text) instanceof Map<?, ?> object) {
            Map<String, Object> fields = new LinkedHashMap<>();
            object.forEach((name, value) -> fields.put(String.valueOf(name), value));
            return fields;
        }
        throw new IllegalArgumentException("not a JSON object");
    }

    private static String place(JsonParser parser) {
        return place(parser.currentTokenLocation());
    }

    private static String place(com.fasterxml.jackson.core.@Nullable JsonLocation location) {
        return location == null ? "" : " (line " + location.getLineNr() + ", column " + location.getColumnNr() + ")";
    }

    /** The value whose first token is the current one; ends at its last token. */
    private @Nullable Object value() throws IOException {
        JsonToken token = parser.currentToken();
        if (token == null) {
            throw new IllegalArgumentException("not JSON: it is empty");
        }
        return switch (token) {
            case START_OBJECT -> object();
            case START_ARRAY -> array();
            case VALUE_STRING -> parser.getText();
            case VALUE_NUMBER_INT -> integer();
            case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL -> null;
            default -> throw new IllegalArgumentException("not JSON: unexpected " + token + place(parser));
        };
    }

    private Object integer() throws IOException {
        // Beyond the range of a long nobody asks for more than that it is too large.
        return parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                ? (Object) parser.getDoubleValue()
                : (Object) parser.getLongValue();
    }

    private Map<String, @Nullable Object> object() throws IOException {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            parser.nextToken();
            fields.put(name, value());
        }
        return fields;
    }

    private List<@Nullable Object> array() throws IOException {
        List<@Nullable Object> values = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            values.add(value());
        }
        return values;
    }
}
