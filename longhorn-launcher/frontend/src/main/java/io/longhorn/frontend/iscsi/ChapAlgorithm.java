package io.longhorn.frontend.iscsi;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;

/** The hashes of CHAP with their numbers: MD5 of RFC 1994, and those that IANA assigned for iSCSI since. SHA-1 is left out: who knows it knows a better one as well. */
enum ChapAlgorithm {
    MD5(5, "MD5", 16),
    SHA_256(7, "SHA-256", 32),
    SHA3_256(8, "SHA3-256", 32);

    private final int number;
    private final String hash;
    private final int bytes;

    ChapAlgorithm(int number, String hash, int bytes) {
        this.number = number;
        this.hash = hash;
        this.bytes = bytes;
    }

    /** The first of a list like {@code 7,5} that we know. */
    static Optional<ChapAlgorithm> firstOf(String list) {
        for (String offered : list.split(",", -1)) {
            for (ChapAlgorithm algorithm : values()) {
                if (offered.equals(Integer.toString(algorithm.number)) && algorithm.isThere()) {
                    return Optional.of(algorithm);
                }
            }
        }
        return Optional.empty();
    }

    int number() {
        return number;
    }

    /** The length of a response, and of our challenges. */
    int bytes() {
        return bytes;
    }

    /** What proves the secret: the hash of identifier, secret and challenge (RFC 1994 4.1). */
    byte[] response(int identifier, byte[] secret, byte[] challenge) {
        MessageDigest digest = digest().orElseThrow();
        digest.update((byte) identifier);
        digest.update(secret);
        return digest.digest(challenge);
    }

    private boolean isThere() {
        return digest().isPresent();
    }

    private Optional<MessageDigest> digest() {
        try {
            return Optional.of(MessageDigest.getInstance(hash));
        } catch (NoSuchAlgorithmException e) {
            return Optional.empty();
        }
    }
}
