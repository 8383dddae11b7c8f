package io.longhorn.replica;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class JournalPaceTest {
    private static final long CAPACITY = 1_000_000_000;
    private static final long MILLISECOND = 1_000_000;
    private static final long SECOND = 1000 * MILLISECOND;
    /** What the checkpoints of these tests move in a second. */
    private static final long SPEED = 100_000_000;

    private final JournalPace pace = new JournalPace();
    private long now = 17 * SECOND;

    @Test
    void nobodyIsHeldBackWhileHalfOfTheJournalIsFree() {
        assertThat(allowed(0)).isEqualTo(JournalPace.UNLIMITED);
        assertThat(allowed(0.5)).isEqualTo(JournalPace.UNLIMITED);
    }

    @Test
    void aJournalThreeQuartersFullTakesWhatCheckpointsMove() {
        pace.moved(SPEED, SECOND);

        assertThat(grantedInOneSecond(0.75)).isBetween(SPEED * 9 / 10, SPEED * 11 / 10);
        assertThat(allowed(0.75)).isNotEqualTo(JournalPace.UNLIMITED);
    }

    @Test
    void theFullerTheSlower() {
        pace.moved(SPEED, SECOND);

        assertThat(grantedInOneSecond(0.6)).isGreaterThan(2 * SPEED);
        assertThat(grantedInOneSecond(0.9)).isBetween(SPEED / 5, SPEED / 3);
    }

    @Test
    void theEndOfTheJournalIsReachedSlowly() {
        pace.moved(SPEED, SECOND);

        assertThat(grantedInOneSecond(0.999)).isBetween(SPEED / 18, SPEED / 15);
    }

    @Test
    void followsTheSpeedOfCheckpoints() {
        for (int i = 0; i < 20; i++) {
            pace.moved(10 * SPEED, SECOND);
        }
        for (int i = 0; i < 20; i++) {
            pace.moved(SPEED, SECOND);
        }

        assertThat(grantedInOneSecond(0.75)).isBetween(SPEED * 9 / 10, SPEED * 11 / 10);
    }

    @Test
    void aCheckpointOfLittleSaysNothing() {
        pace.moved(SPEED, SECOND);
        pace.moved(4096, SECOND);
        pace.moved(SPEED, 0);

        assertThat(grantedInOneSecond(0.75)).isBetween(SPEED * 9 / 10, SPEED * 11 / 10);
    }

    @Test
    void whatWasNotWantedIsNotSavedUp() {
        pace.moved(SPEED, SECOND);
        allowed(0.75);
        now += 100 * SECOND;

        assertThat(allowed(0.75)).isLessThanOrEqualTo(2 * SpaceCredit.WINDOW_BYTES_MIN);
    }

    @Test
    void aMomentWithoutLimitBeginsAnew() {
        pace.moved(SPEED, SECOND);
        grantedInOneSecond(0.75);
        allowed(0.1);
        now += 100 * SECOND;

        assertThat(allowed(0.75)).isLessThan(JournalPace.PORTION_BYTES * 2);
    }

    private long allowed(double usedShare) {
        return pace.allowedBytes((long) (CAPACITY * usedShare), CAPACITY, now);
    }

    /** Somebody wants all there is, every millisecond. */
    private long grantedInOneSecond(double usedShare) {
        pace.granted(allowed(usedShare));
        long sum = 0;
        for (int i = 0; i < 1000; i++) {
            now += MILLISECOND;
            long more = allowed(usedShare);
            pace.granted(more);
            sum += more;
        }
        return sum;
    }
}
