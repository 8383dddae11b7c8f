package io.longhorn.frontend.iscsi;

import java.util.Objects;

/**
 * A name and a secret of CHAP (RFC 7143 12.1.3).
 *
 * @param name who proves to know the secret, 1 to {@link #NAME_LENGTH_MAX} characters
 * @param secret 1 to {@link #SECRET_LENGTH_MAX} characters; initiators commonly refuse fewer than 12, and RFC 7143 9.2.1 asks for that many unless the connection is protected
 */
public record ChapCredentials(String name, String secret) {

    /** The longest {@link #name}. */
    public static final int NAME_LENGTH_MAX = 223;

    /** The longest {@link #secret}. */
    public static final int SECRET_LENGTH_MAX = 256;

    public ChapCredentials {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(secret, "secret");
        if (name.isEmpty() || name.length() > NAME_LENGTH_MAX) {
            throw new IllegalArgumentException(
                    "the name of CHAP has 1 to " + NAME_LENGTH_MAX + " characters, not " + name.length());
        }
        if (secret.isEmpty() || secret.length() > SECRET_LENGTH_MAX) {
            throw new IllegalArgumentException("the secret of CHAP has 1 to " + SECRET_LENGTH_MAX + " characters");
        }
    }

    /** Without the secret. */
    @Override
    public String toString() {
        return "ChapCredentials[name=" + name + "]";
    }
}
