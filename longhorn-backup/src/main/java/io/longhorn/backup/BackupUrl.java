package io.longhorn.backup;

import io.longhorn.BackupTarget;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Names a backup in Longhorn's form: {@code TARGET?backup=NAME&volume=VOLUME}, the two in either order. Other parameters belong to the target.
 *
 * @param target the URL without the two
 */
public record BackupUrl(URI target, String volume, String backup) {

    /**
     * Takes such a URL apart.
     *
     * @throws IllegalArgumentException if it is none; says what is expected
     */
    public static BackupUrl parse(String text) {
        try {
            URI uri = new URI(text);
            Map<String, String> named = new HashMap<>();
            StringBuilder rest = new StringBuilder();
            String query = uri.getRawQuery() == null ? "" : uri.getRawQuery();
            for (String parameter : query.isEmpty() ? new String[0] : query.split("&", -1)) {
                int equals = parameter.indexOf('=');
                String name = equals < 0 ? parameter : parameter.substring(0, equals);
                if ("backup".equals(name) || "volume".equals(name)) {
                    String value = equals < 0 ? "" : parameter.substring(equals + 1);
                    named.put(name, URLDecoder.decode(value, StandardCharsets.UTF_8));
                } else {
                    rest.append(rest.isEmpty() ? "?" : "&").append(parameter);
                }
            }
            if (uri.getScheme() == null || !named.containsKey("backup") || !named.containsKey("volume")) {
                throw wrong(text);
            }
            String target = text.contains("?") ? text.substring(0, text.indexOf('?')) : text;
            return new BackupUrl(
                    new URI(target + rest),
                    StoreLayout.checkName("volume", named.getOrDefault("volume", "")),
                    StoreLayout.checkName("backup", named.getOrDefault("backup", "")));
        } catch (URISyntaxException e) {
            throw wrong(text);
        }
    }

    private static IllegalArgumentException wrong(String text) {
        return new IllegalArgumentException(
                "a backup is named TARGET?backup=NAME&volume=VOLUME, such as file:///dir/?backup=backup-1&volume=orders, was '"
                        + text + "'");
    }

    /** The target, without credentials. */
    public BackupTarget backupTarget() {
        return BackupTarget.at(target);
    }
}
