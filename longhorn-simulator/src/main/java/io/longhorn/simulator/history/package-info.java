/**
 * What callers of a volume asked for and were told, and whether one volume could have behaved so. Knows nothing of engine and replicas:
 * {@link io.longhorn.simulator.history.History} takes invocations, outcomes and losses in the order in which they happened.
 */
@NullMarked
package io.longhorn.simulator.history;

import org.jspecify.annotations.NullMarked;
