package io.longhorn.replica.wire;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;

/** Makes records with random content that the protocol allows, from their components, so that a new message is covered without a word. */
final class RandomRecords {
    private static final Set<String> ANY_NUMBER =
            Set.of("features", "first", "second", "sentNanos", "session", "createdAtMillis", "code", "crc", "pin");
    private static final Set<String> FROM_MINUS_ONE = Set.of("nextBlock", "quietMillis");
    private static final Set<String> NEVER_EMPTY = Set.of("volumeName", "name");
    private static final String LETTERS = "abcXYZ019_.-\u00e4\u20ac\ud83d\ude00";

    private final Random random;

    RandomRecords(long seed) {
        random = new Random(seed);
    }

    Message message(Class<?> type) {
        return (Message) record(type);
    }

    StructureOperation structure(Class<?> type) {
        return (StructureOperation) record(type);
    }

    private Object record(Class<?> type) {
        RecordComponent[] components = type.getRecordComponents();
        Class<?>[] types =
                Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
        Object[] values = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            values[i] = value(components[i].getName(), components[i].getGenericType());
        }
        try {
            Constructor<?> constructor = type.getDeclaredConstructor(types);
            return constructor.newInstance(values);
        } catch (NoSuchMethodException | InstantiationException | IllegalAccessException e) {
            throw new LinkageError("cannot make a " + type, e);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException("a " + type + " refuses " + Arrays.toString(values), e.getCause());
        }
    }

    private Object value(String name, Type type) {
        if (type instanceof ParameterizedType generic) {
            Type element = generic.getActualTypeArguments()[0];
            return generic.getRawType() == Map.class ? labels() : list(name, element);
        }
        Class<?> plain = (Class<?>) type;
        if (plain == long.class || plain == Long.class) {
            return number(name);
        } else if (plain == int.class) {
            return ANY_NUMBER.contains(name) ? random.nextInt() : random.nextInt() & Integer.MAX_VALUE;
        } else if (plain == boolean.class) {
            return random.nextBoolean();
        } else if (plain == UUID.class) {
            return new UUID(random.nextLong(), random.nextLong());
        } else if (plain == String.class) {
            return string(NEVER_EMPTY.contains(name) ? 1 : 0);
        } else if (plain == byte[].class) {
            byte[] block = new byte[FrameLayout.BLOCK_BYTES];
            random.nextBytes(block);
            return block;
        } else if (plain == LayerId.class) {
            return layerId();
        } else if (plain.isEnum()) {
            return plain.getEnumConstants()[random.nextInt(plain.getEnumConstants().length)];
        }
        return record(plain);
    }

    private long number(String name) {
        if (FROM_MINUS_ONE.contains(name) && random.nextInt(4) == 0) {
            return -1;
        }
        long any = random.nextLong() >> random.nextInt(64);
        return ANY_NUMBER.contains(name) ? any : any & Long.MAX_VALUE;
    }

    LayerId layerId() {
        return random.nextInt(4) == 0
                ? LayerId.LIVE
                : new LayerId(random.nextInt() & Integer.MAX_VALUE, 1 + random.nextInt(Integer.MAX_VALUE));
    }

    private List<Object> list(String name, Type element) {
        List<Object> elements = new ArrayList<>();
        int count = random.nextInt(6) * random.nextInt(6);
        for (int i = 0; i < count; i++) {
            elements.add(value(name, element));
        }
        return elements;
    }

    private Map<String, String> labels() {
        Map<String, String> labels = new LinkedHashMap<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            labels.put(string(1), string(0));
        }
        return labels;
    }

    private String string(int lengthMin) {
        StringBuilder text = new StringBuilder();
        int[] letters = LETTERS.codePoints().toArray();
        for (int i = Math.max(lengthMin, random.nextInt(16)); i > 0; i--) {
            text.appendCodePoint(letters[random.nextInt(letters.length)]);
        }
        return text.toString();
    }
}
