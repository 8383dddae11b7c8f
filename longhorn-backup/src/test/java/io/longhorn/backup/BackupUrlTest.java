package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BackupUrlTest {

    @Test
    void parametersOfTheTargetStay() {
        BackupUrl url = BackupUrl.parse("nfs://host:/export/path?nfsOptions=hard&backup=backup-1&volume=orders");
        assertThat(url.target()).isEqualTo(URI.create("nfs://host:/export/path?nfsOptions=hard"));
        assertThat(url.volume()).isEqualTo("orders");
        assertThat(url.backup()).isEqualTo("backup-1");
        assertThat(BackupUrl.parse("s3://bucket@region/path/?volume=orders&backup=backup-1")
                        .backupTarget()
                        .uri())
                .isEqualTo(URI.create("s3://bucket@region/path/"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "hello",
                "/dir?backup=b1&volume=v1",
                "file:///dir/",
                "file:///dir/?backup=b1",
                "file:///dir/?volume=v1",
                "file:///dir/?backup=&volume=v1",
                "file:///dir/?backup=b1&volume=../v1",
                "file:///a b/?backup=b1&volume=v1",
            })
    void anythingElseIsRefusedWithWhatIsExpected(String text) {
        assertThatThrownBy(() -> BackupUrl.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(" was '");
    }
}
