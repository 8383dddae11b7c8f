/**
 * Runs engine and replicas in one thread on a virtual clock, with seeded scheduling and faults. The runs themselves are
 * the tests of this module.
 */
@NullMarked
package io.longhorn.simulator;

import org.jspecify.annotations.NullMarked;
