/**
 * The engine: one per open volume. It numbers every change, sends it to all replicas of the view, confirms it when they have it, reads from one of
 * them, and brings replicas back. {@link io.longhorn.engine.EngineCore} is the state machine, everything else serves it or the caller.
 */
@NullMarked
package io.longhorn.engine;

import org.jspecify.annotations.NullMarked;
