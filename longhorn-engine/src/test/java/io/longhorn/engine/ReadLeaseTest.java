package io.longhorn.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReadLeaseTest {
    private static final long LEASE_NANOS = 1_000_000_000;

    private final ReadLease lease = new ReadLease(LEASE_NANOS);

    @Test
    void runsFromWhenTheMessageWasSentByWhicheverClockSaysMore() {
        assertThat(lease.validAt(5, 0)).isFalse();
        lease.renew(0, 0);
        assertThat(lease.validAt(LEASE_NANOS - 1, 999)).isTrue();
        assertThat(lease.validAt(LEASE_NANOS, 0)).isFalse();
        assertThat(lease.validAt(0, 1000)).isFalse();
    }

    @Test
    void acknowledgementOfAnOlderMessageChangesNothing() {
        lease.renew(10, 10);
        lease.renew(9, 5_000);
        assertThat(lease.validAt(10, 5_000)).isFalse();
    }

    /** Found by the simulator: after a machine was suspended its wall clock alone had moved, no ping renewed the lease, and each answer led to another ping of everybody. */
    @Test
    void isRenewedAlthoughOnlyTheWallClockMoved() {
        lease.renew(10, 0);
        assertThat(lease.validAt(10, 5_000)).isFalse();
        lease.renew(10, 5_000);
        assertThat(lease.validAt(10, 5_000)).isTrue();
    }
}
