/**
 * The {@code longhorn} command. {@link io.longhorn.app.Main} parses the command line and calls one class per subcommand;
 * this package alone reads environment variables and flags, and passes plain values on to the library. What several commands
 * share is here too. {@code longhorn bench} has a package of its own, which builds on this one; only {@code Main} looks back.
 */
@NullMarked
package io.longhorn.app;

import org.jspecify.annotations.NullMarked;
