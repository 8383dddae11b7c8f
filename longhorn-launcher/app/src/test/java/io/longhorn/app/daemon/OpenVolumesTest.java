package io.longhorn.app.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.Longhorn;
import io.longhorn.Volume;
import io.longhorn.VolumeEvent;
import io.longhorn.VolumeExistsException;
import io.longhorn.VolumeInUseException;
import io.longhorn.VolumeNotFoundException;
import io.longhorn.VolumeSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpenVolumesTest {

    @TempDir
    private Path directory;

    private final List<VolumeEvent> events = new CopyOnWriteArrayList<>();
    private Longhorn longhorn;
    private OpenVolumes open;

    @BeforeEach
    void start() {
        longhorn = Longhorn.embedded(directory.resolve("volumes"));
        open = new OpenVolumes(longhorn, events::add);
        open.make("orders", this::create).close();
    }

    private Volume create() {
        return longhorn.create(VolumeSpec.named("orders").sizeBytes(1 << 20).build());
    }

    @AfterEach
    void stop() {
        longhorn.close();
    }

    @Test
    void aVolumeIsOpenAsLongAsSomebodyNeedsIt() {
        assertThat(open.find("orders")).isEmpty();
        OpenVolumes.Lease first = open.open("orders", false);
        OpenVolumes.Lease second = open.open("orders", false);
        assertThat(second.volume()).isSameAs(first.volume());
        first.close();
        first.close();
        assertThat(open.find("orders")).contains(second.volume());
        second.volume().flush();
        second.close();
        assertThat(open.find("orders")).isEmpty();
        assertThat(longhorn.isInUse("orders")).isFalse();
    }

    @Test
    void eventsOfAnOpenVolumeAreTold() {
        open.with("orders", volume -> volume.snapshot("before"));
        assertThat(events).hasAtLeastOneElementOfType(VolumeEvent.SnapshotCreated.class);
    }

    @Test
    void whatIsOpenElsewhereIsNotTakenOverUnasked() {
        Volume elsewhere = longhorn.open("orders");
        assertThatThrownBy(() -> open.open("orders", false)).isInstanceOf(VolumeInUseException.class);
        assertThat(open.find("orders")).isEmpty();
        elsewhere.close();
        open.open("orders", false).close();
    }

    @Test
    void anOpenVolumeIsNeitherMadeNorDeleted() {
        try (OpenVolumes.Lease lease = open.open("orders", false)) {
            assertThatThrownBy(() -> open.make("orders", this::create)).isInstanceOf(VolumeExistsException.class);
            assertThatThrownBy(() -> open.whileClosed("orders", () -> longhorn.delete("orders")))
                    .isInstanceOf(VolumeInUseException.class);
            lease.volume().flush();
        }
        open.whileClosed("orders", () -> longhorn.delete("orders"));
        assertThatThrownBy(() -> open.open("orders", false)).isInstanceOf(VolumeNotFoundException.class);
    }

    @Test
    void whatFailsToOpenCanBeTriedAgain() {
        assertThatThrownBy(() -> open.open("nobody", false)).isInstanceOf(VolumeNotFoundException.class);
        assertThatThrownBy(() -> open.open("nobody", false)).isInstanceOf(VolumeNotFoundException.class);
        open.with("orders", volume -> volume.sizeBytes());
    }
}
