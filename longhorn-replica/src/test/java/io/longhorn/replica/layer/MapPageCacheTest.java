package io.longhorn.replica.layer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class MapPageCacheTest {

    private static long marker(int map, long page) {
        return map * 1_000_003L + page;
    }

    @Test
    void pagesStayUntilOthersNeedTheirRoom() {
        MapPageCache cache = new MapPageCache(100 * MapPage.BYTES);
        int map = cache.register();
        for (long page = 0; page < 100; page++) {
            assertThat(cache.get(map, page)).isNull();
            cache.put(map, page).set(0, page, 0);
        }
        for (long page = 0; page < 100; page++) {
            MapPage present = cache.get(map, page);
            assertThat(present).isNotNull();
            assertThat(present.entry(0)).isEqualTo(page);
        }
        cache.put(map, 100);
        int present = 0;
        for (long page = 0; page < 100; page++) {
            present += cache.get(map, page) == null ? 0 : 1;
        }
        assertThat(present).isEqualTo(99);
        assertThat(cache.hits()).isEqualTo(199);
        assertThat(cache.misses()).isEqualTo(101);
    }

    @Test
    void pagesUsedAgainAndAgainOutliveAScan() {
        MapPageCache cache = new MapPageCache(200 * MapPage.BYTES);
        int hot = cache.register();
        int cold = cache.register();
        for (long page = 0; page < 50; page++) {
            cache.put(hot, page);
        }
        for (long page = 0; page < 2000; page++) {
            if (page % 20 == 0) {
                for (long used = 0; used < 50; used++) {
                    cache.get(hot, used);
                }
            }
            cache.put(cold, page);
        }
        int present = 0;
        for (long page = 0; page < 50; page++) {
            present += cache.get(hot, page) == null ? 0 : 1;
        }
        assertThat(present).isGreaterThan(45);
    }

    @Test
    void noPageIsEverMistakenForAnother() {
        MapPageCache cache = new MapPageCache(0);
        assertThat(cache.capacity()).isEqualTo(MapPageCache.PAGES_MIN);
        int[] maps = {cache.register(), cache.register(), cache.register()};
        Random random = new Random(5);
        Set<Long> removed = new HashSet<>();
        for (int i = 0; i < 200_000; i++) {
            int map = maps[random.nextInt(3)];
            long page = random.nextInt(60);
            MapPage present = cache.get(map, page);
            if (present != null) {
                assertThat(present.entry(3)).isEqualTo(marker(map, page));
                assertThat(removed).doesNotContain(marker(map, page));
            }
            if (random.nextInt(5) == 0) {
                cache.remove(map, page);
                removed.add(marker(map, page));
                assertThat(cache.get(map, page)).isNull();
            } else if (present == null) {
                cache.put(map, page).set(3, marker(map, page), 0);
                removed.remove(marker(map, page));
            }
        }
        assertThat(cache.hits()).isPositive();
        assertThat(cache).asString().contains("of 64 pages");
    }
}
