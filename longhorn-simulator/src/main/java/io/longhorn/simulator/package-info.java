/**
 * Engine, replicas and registry in one thread on virtual time: hosts that lose power, disks that forget what was not synced, a network
 * that delays and cuts, and a checker that watches what callers were told. A run is fixed by its seed. Read {@code docs/simulator.md}
 * first, then {@link io.longhorn.simulator.SimScheduler}.
 */
@NullMarked
package io.longhorn.simulator;

import org.jspecify.annotations.NullMarked;
