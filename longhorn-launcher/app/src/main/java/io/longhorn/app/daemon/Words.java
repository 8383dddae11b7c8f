package io.longhorn.app.daemon;

import java.util.Locale;

/** Names of enum constants as they stand in requests and answers. */
final class Words {

    private Words() {}

    /** In lower case, with hyphens. */
    static String of(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
