/**
 * The node daemon, {@code longhorn serve}: opens volumes, shows them to other programs by frontends, and takes orders over HTTP. {@link io.longhorn.app.daemon.Daemon} puts it
 * together; {@link io.longhorn.app.daemon.Routes} lists what the API can do.
 */
@NullMarked
package io.longhorn.app.daemon;

import org.jspecify.annotations.NullMarked;
