package io.longhorn.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ObjectKeyTest {

    @Test
    void aKeyIsNamesBetweenSlashes() {
        assertThat(ObjectKey.names("a")).containsExactly("a");
        assertThat(ObjectKey.names("a/b.cfg/c")).containsExactly("a", "b.cfg", "c");
    }

    @Test
    void namesThatLeadElsewhereAreRefused() {
        assertThatThrownBy(() -> ObjectKey.names("a/../b"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'a/../b'");
    }

    @Test
    void temporaryNamesAreKnownAndDiffer() {
        assertThat(ObjectKey.temporary("b")).startsWith("b.tmp.").isNotEqualTo(ObjectKey.temporary("b"));
        assertThat(ObjectKey.isTemporary(ObjectKey.temporary("b"))).isTrue();
        assertThat(ObjectKey.isTemporary("b")).isFalse();
    }
}
