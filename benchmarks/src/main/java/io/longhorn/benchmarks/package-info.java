/**
 * Benchmarks. Each measures one thing; its class comment says what and how to run it. A number is worth something
 * together with machine, commit and what it is compared to.
 */
@NullMarked
package io.longhorn.benchmarks;

import org.jspecify.annotations.NullMarked;
