/**
 * The {@code longhorn} command. {@link io.longhorn.app.Main} parses the command line and calls one class per subcommand;
 * this package alone reads environment variables and flags, and passes plain values on to the library.
 */
@NullMarked
package io.longhorn.app;

import org.jspecify.annotations.NullMarked;
