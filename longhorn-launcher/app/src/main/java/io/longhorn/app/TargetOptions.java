package io.longhorn.app;

import io.longhorn.BackupTarget;
import io.longhorn.backup.BackupStore;
import java.net.URI;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a backup target wants to be told beside its URI: credentials, which stand in the environment, and the keys of an encrypted one. */
final class TargetOptions {

    @Option(
            names = "--key-file",
            paramLabel = "FILE",
            description = {
                "Of an encrypted target: a file with a line \"ID KEY\" for each key, 64 hexadecimal digits, the one for new",
                "objects first. Default: the file that LONGHORN_BACKUP_KEY_FILE names."
            })
    private @Nullable Path keyFile;

    private final Map<String, String> environment = System.getenv();

    BackupTarget at(URI uri) {
        BackupTarget target = BackupTarget.at(uri, credentials());
        return keys().map(target::encryptedWith).orElse(target);
    }

    BackupStore open(URI uri) {
        return BackupStore.open(at(uri));
    }

    /** The same for a request to a daemon, which forgets it with the request. */
    Map<String, Object> fields(String target) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("target", target);
        fields.put("credentials", credentials());
        keys().ifPresent(keys -> {
            fields.put("currentKey", keys.currentKeyId());
            fields.put("keys", keys.hex());
        });
        return fields;
    }

    private Map<String, String> credentials() {
        return BackupCredentials.ofEnvironment(environment);
    }

    private Optional<BackupKeyRing> keys() {
        String variable = environment.get("LONGHORN_BACKUP_KEY_FILE");
        Path file = keyFile != null || variable == null || variable.isBlank() ? keyFile : Path.of(variable);
        return Optional.ofNullable(file).map(BackupKeyRing::read);
    }
}
