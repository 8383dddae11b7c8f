package io.longhorn.app;

import io.longhorn.backup.BackupUrl;
import java.util.List;
import java.util.Map;

/** Backups through a daemon, which talks to the target itself; credentials and keys go with each request. */
final class DaemonBackups {

    private final DaemonClient daemon;
    private final TargetOptions at;
    private final Console console;

    DaemonBackups(DaemonClient daemon, TargetOptions at, Console console) {
        this.daemon = daemon;
        this.at = at;
        this.console = console;
    }

    private Map<String, Object> about(BackupUrl backup) {
        Map<String, Object> body = at.fields(backup.target().toString());
        body.put("volume", backup.volume());
        body.put("backup", backup.backup());
        return body;
    }

    /** @param how the fields that say how, and of which snapshot */
    void create(String volume, String target, Map<String, Object> how) throws InterruptedException {
        Map<String, Object> body = at.fields(target);
        body.put("volume", volume);
        body.putAll(how);
        Map<String, Object> backup = daemon.await("/v1/backups", body, new ProgressLine(console, "backed up"));
        console.line("backup " + backup.get("name") + " of volume " + volume + ", snapshot " + backup.get("snapshot")
                + ": " + backup.get("sizeBytes") + " bytes, " + backup.get("newBytes") + " new at the target");
    }

    void restore(BackupUrl backup, Map<String, Object> volume) throws InterruptedException {
        Map<String, Object> body = about(backup);
        body.putAll(volume);
        Map<String, Object> restored = daemon.await("/v1/backups/restore", body, new ProgressLine(console, "restored"));
        console.line(
                "volume " + restored.get("volume") + ": " + restored.get("sizeBytes") + " bytes, every block verified");
    }

    int list(String target, boolean json) {
        Map<String, Object> found = daemon.post("/v1/backups/list", at.fields(target));
        List<?> backups = array(found, "backups");
        if (json) {
            console.line(Json.of(backups).strip());
        } else {
            backups.forEach(backup -> console.line(line((Map<?, ?>) backup)));
        }
        List<?> damaged = array(found, "damaged");
        damaged.forEach(one -> console.remark("DAMAGED " + one));
        return damaged.isEmpty() ? Main.DONE : Main.FAILED;
    }

    private static String line(Map<?, ?> backup) {
        String labels = backup.get("labels") instanceof Map<?, ?> some && !some.isEmpty() ? ", labels " + some : "";
        return "volume " + backup.get("volume") + " backup " + backup.get("name") + " of " + backup.get("createdAt")
                + ", snapshot " + backup.get("snapshot") + ", " + backup.get("sizeBytes") + " bytes" + labels;
    }

    void inspect(BackupUrl backup) {
        console.line(Json.of(daemon.post("/v1/backups/inspect", about(backup))).strip());
    }

    int verify(Map<String, Object> body) throws InterruptedException {
        Map<String, Object> result = daemon.await("/v1/backups/verify", body, new ProgressLine(console, "verified"));
        List<?> damages = array(result, "damages");
        damages.forEach(damage -> console.line("DAMAGED " + damage));
        Object inProgress = result.get("inProgress");
        console.line(result.get("backups") + " backups and " + result.get("blocks") + " blocks verified, "
                + (damages.isEmpty() ? "all right" : damages.size() + " damages")
                + (Long.valueOf(0).equals(inProgress) ? "" : "; " + inProgress + " in progress"));
        return damages.isEmpty() ? Main.DONE : Main.FAILED;
    }

    int verifyAll(String target) throws InterruptedException {
        return verify(at.fields(target));
    }

    int verifyOne(BackupUrl backup) throws InterruptedException {
        return verify(about(backup));
    }

    void delete(BackupUrl backup) throws InterruptedException {
        Map<String, Object> result =
                daemon.await("/v1/backups/delete", about(backup), new ProgressLine(console, "deleted"));
        console.line("backup " + backup.backup() + " deleted, " + result.get("freedBytes") + " bytes freed");
    }

    private static List<?> array(Map<String, Object> fields, String name) {
        return fields.get(name) instanceof List<?> values ? values : List.of();
    }
}
