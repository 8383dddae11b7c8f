/**
 * What {@code longhorn bench} measures, and how. {@link io.longhorn.app.bench.Bench} runs what the user chose: loads beside
 * their baselines, events that happen to a volume, and scale. Each {@link io.longhorn.app.bench.Measurement} of the latter
 * two is a class of its own. Uses what the commands share in {@link io.longhorn.app}, where {@code Main} alone knows of it.
 */
@NullMarked
package io.longhorn.app.bench;

import org.jspecify.annotations.NullMarked;
