/** The commands that tell a daemon what to do, each a client of its API: {@code longhorn volume}, {@code snapshot}, {@code frontend}. */
@NullMarked
package io.longhorn.app.client;

import org.jspecify.annotations.NullMarked;
