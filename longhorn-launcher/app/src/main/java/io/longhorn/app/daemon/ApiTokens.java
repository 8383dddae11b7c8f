package io.longhorn.app.daemon;

import io.longhorn.app.CommandFailure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The bearer tokens (RFC 6750) that the API takes. Immutable. */
final class ApiTokens {

    private static final String SCHEME = "Bearer ";

    /** Of each token its hash: comparing those takes the same time whatever is presented. */
    private final List<byte[]> hashes;

    private ApiTokens(List<byte[]> hashes) {
        this.hashes = hashes;
    }

    /** Everybody may come in. */
    static ApiTokens none() {
        return new ApiTokens(List.of());
    }

    /**
     * Those of a file, one a line.
     *
     * @throws CommandFailure if it has none, or one that no header can carry
     */
    static ApiTokens of(Path file) throws IOException {
        List<String> tokens = Files.readString(file)
                .lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .toList();
        if (tokens.isEmpty()) {
            throw new CommandFailure("token file " + file + " has no token");
        }
        if (tokens.stream().anyMatch(token -> !token.chars().allMatch(c -> c > ' ' && c < 0x7f))) {
            throw new CommandFailure("a token in " + file + " has characters other than visible ASCII ones");
        }
        return new ApiTokens(tokens.stream().map(ApiTokens::hash).toList());
    }

    boolean areRequired() {
        return !hashes.isEmpty();
    }

    /** @param authorization the value of that header */
    boolean allow(@Nullable String authorization) {
        if (hashes.isEmpty()) {
            return true;
        }
        if (authorization == null || !authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            return false;
        }
        byte[] presented = hash(authorization.substring(SCHEME.length()).strip());
        boolean allowed = false;
        for (byte[] hash : hashes) {
            allowed |= MessageDigest.isEqual(hash, presented);
        }
        return allowed;
    }

    private static byte[] hash(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
