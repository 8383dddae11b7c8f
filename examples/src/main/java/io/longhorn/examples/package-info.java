/**
 * Small programs to copy. Start with {@link io.longhorn.examples.Quickstart}, a volume with three replicas in one
 * directory; {@link io.longhorn.examples.RemoteReplicas} does the same over the network.
 */
@NullMarked
package io.longhorn.examples;

import org.jspecify.annotations.NullMarked;
