package io.longhorn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OutOfRangeExceptionTest {

    @ParameterizedTest
    @CsvSource({"0, 8192", "8191, 1", "8192, 0", "0, 0"})
    void rangesInsideAreAccepted(long offset, long length) {
        OutOfRangeException.check(offset, length, 8192);
    }

    @ParameterizedTest
    @CsvSource({
        "-1, 1",
        "0, -1",
        "0, 8193",
        "8192, 1",
        "8193, 0",
        "9223372036854775807, 1",
        "1, 9223372036854775807",
        "-9223372036854775808, -9223372036854775808",
    })
    void rangesOutsideAreRefusedWithTheirFigures(long offset, long length) {
        assertThatExceptionOfType(OutOfRangeException.class)
                .isThrownBy(() -> OutOfRangeException.check(offset, length, 8192))
                .satisfies(e -> {
                    assertThat(e).isInstanceOf(IllegalArgumentException.class);
                    assertThat(e.offsetBytes()).isEqualTo(offset);
                    assertThat(e.lengthBytes()).isEqualTo(length);
                    assertThat(e.sizeBytes()).isEqualTo(8192);
                });
    }

    @Test
    void extentsAndResultsCheckThemselves() {
        assertThat(new Extent(4096, 8192, ExtentState.DATA).endBytes()).isEqualTo(12288);
        assertThatIllegalArgumentException().isThrownBy(() -> new Extent(-1, 1, ExtentState.DATA));
        assertThatIllegalArgumentException().isThrownBy(() -> new Extent(0, 0, ExtentState.DATA));
        assertThatIllegalArgumentException().isThrownBy(() -> new Extent(2, Long.MAX_VALUE, ExtentState.DATA));
        assertThat(CompareResult.replaced().written()).isTrue();
        assertThat(CompareResult.mismatchAt(0)).isEqualTo(new CompareResult(false, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> CompareResult.mismatchAt(-1));
        assertThatIllegalArgumentException().isThrownBy(() -> new CompareResult(true, 5));
    }

    @Test
    void healthCountsReplicasInSync() {
        ReplicaStatus inSync = new ReplicaStatus(new UUID(0, 1), "h:1", ReplicaState.IN_SYNC, 0, 0);
        ReplicaStatus absent = new ReplicaStatus(new UUID(0, 2), "h:2", ReplicaState.ABSENT, 0, 0);
        VolumeHealth health = new VolumeHealth(HealthState.DEGRADED, 2, List.of(inSync, absent));

        assertThat(health.replicasInSync()).isEqualTo(1);
    }
}
