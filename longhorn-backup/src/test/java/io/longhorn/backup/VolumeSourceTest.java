package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VolumeSourceTest {
    private static final URI TARGET = URI.create("s3://bucket@region/path/");

    private static BackupConfig backup(String name) {
        return new BackupConfig(
                name,
                "orders",
                "one",
                "",
                "2026-11-28T10:00:00Z",
                0,
                Map.of(),
                Map.of(),
                false,
                "lz4",
                0,
                0,
                List.of());
    }

    @Test
    void whatIsWrittenIsReadAndUnderstoodByPeople() {
        VolumeSource restore = VolumeSource.restore(TARGET, "orders", "backup-1");
        assertThat(restore.text()).isEqualTo("backup backup-1 of volume orders at s3://bucket@region/path/");
        assertThat(VolumeSource.of(restore.text())).contains(restore);

        VolumeSource standby = VolumeSource.standby(TARGET, "orders");
        assertThat(VolumeSource.of(standby.text())).contains(standby);
        VolumeSource first = standby.taking("backup-1");
        assertThat(VolumeSource.of(first.text())).contains(first);
        VolumeSource held = first.holding(backup("backup-1"));
        assertThat(VolumeSource.of(held.text())).contains(held);
        VolumeSource next = held.taking("backup-2");
        assertThat(next.text())
                .isEqualTo("the backups of volume orders at s3://bucket@region/path/, holding backup-1 of"
                        + " 2026-11-28T10:00:00Z, taking backup-2");
        assertThat(VolumeSource.of(next.text())).contains(next);
        assertThat(next.follows(standby)).isTrue();
        assertThat(next.follows(VolumeSource.standby(TARGET, "others"))).isFalse();
        assertThat(restore.follows(standby)).isFalse();
    }

    @Test
    void theTextsOfOthersAreNotTakenForOurs() {
        assertThat(VolumeSource.of("")).isEmpty();
        assertThat(VolumeSource.of("restore:there")).isEmpty();
        assertThat(VolumeSource.of("backup backup-1 of volume")).isEmpty();
    }
}
