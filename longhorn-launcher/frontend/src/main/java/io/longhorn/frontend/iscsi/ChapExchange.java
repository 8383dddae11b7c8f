package io.longhorn.frontend.iscsi;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Lets one initiator prove that it knows a secret, and proves the target's if asked to (RFC 7143 12.1.3). */
final class ChapExchange {

    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int CHALLENGE_BYTES_MAX = 1024;
    private static final int IDENTIFIER_MAX = 255;

    private final ChapCredentials initiator;
    private final @Nullable ChapCredentials target;
    private @Nullable ChapAlgorithm algorithm;
    private byte[] challenge = new byte[0];
    private int identifier;

    ChapExchange(ChapCredentials initiator, @Nullable ChapCredentials target) {
        this.initiator = initiator;
        this.target = target;
    }

    /** What became of a step. */
    enum Step {
        GOES_ON,
        PROVED,
        FAILED
    }

    /** Takes what a login request says of CHAP and adds the answer. */
    Step answer(TextPairs request, TextPairs reply) {
        Optional<String> algorithms = request.get("CHAP_A");
        if (algorithms.isPresent()) {
            return challenge(algorithms.get(), reply);
        }
        Optional<String> name = request.get("CHAP_N");
        Optional<String> response = request.get("CHAP_R");
        if (name.isEmpty() && response.isEmpty()) {
            return Step.GOES_ON;
        }
        ChapAlgorithm chosen = algorithm;
        if (chosen == null || name.isEmpty() || response.isEmpty()) {
            return Step.FAILED;
        }
        // A challenge serves once.
        algorithm = null;
        byte[] expected = chosen.response(identifier, bytes(initiator.secret()), challenge);
        boolean proves = MessageDigest.isEqual(expected, binary(response.get()).orElse(new byte[0]));
        if (!proves || !MessageDigest.isEqual(bytes(name.get()), bytes(initiator.name()))) {
            return Step.FAILED;
        }
        return prove(chosen, request, reply);
    }

    private Step challenge(String algorithms, TextPairs reply) {
        Optional<ChapAlgorithm> chosen = ChapAlgorithm.firstOf(algorithms);
        if (chosen.isEmpty() || algorithm != null) {
            return Step.FAILED;
        }
        algorithm = chosen.get();
        challenge = new byte[algorithm.bytes()];
        RANDOM.nextBytes(challenge);
        identifier = RANDOM.nextInt(IDENTIFIER_MAX + 1);
        reply.put("CHAP_A", Integer.toString(algorithm.number()));
        reply.put("CHAP_I", Integer.toString(identifier));
        reply.put("CHAP_C", hexadecimal(challenge));
        return Step.GOES_ON;
    }

    /** If the initiator wants the target to prove itself, it says so together with its own proof. */
    private Step prove(ChapAlgorithm chosen, TextPairs request, TextPairs reply) {
        Optional<String> asked = request.get("CHAP_C");
        Optional<String> askedIdentifier = request.get("CHAP_I");
        if (asked.isEmpty() && askedIdentifier.isEmpty()) {
            return Step.PROVED;
        }
        Optional<byte[]> theirs = asked.flatMap(ChapExchange::binary);
        int theirIdentifier = askedIdentifier.map(ChapExchange::identifier).orElse(-1);
        if (target == null
                || theirIdentifier < 0
                || theirs.isEmpty()
                || theirs.get().length == 0
                || theirs.get().length > CHALLENGE_BYTES_MAX
                // Our own challenge sent back would make us answer it for somebody else (9.2.1).
                || MessageDigest.isEqual(theirs.get(), challenge)) {
            return Step.FAILED;
        }
        reply.put("CHAP_N", target.name());
        reply.put("CHAP_R", hexadecimal(chosen.response(theirIdentifier, bytes(target.secret()), theirs.get())));
        return Step.PROVED;
    }

    private static int identifier(String value) {
        try {
            int number = Integer.decode(value);
            return number <= IDENTIFIER_MAX ? number : -1;
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    /** A binary value: hexadecimal after {@code 0x}, Base64 after {@code 0b} (6.1). */
    private static Optional<byte[]> binary(String value) {
        if (value.length() < 2 || value.charAt(0) != '0') {
            return Optional.empty();
        }
        String digits = value.substring(2);
        try {
            return switch (value.charAt(1)) {
                case 'x', 'X' -> Optional.of(HexFormat.of().parseHex(digits.length() % 2 == 0 ? digits : "0" + digits));
                case 'b', 'B' -> Optional.of(Base64.getDecoder().decode(digits));
                default -> Optional.empty();
            };
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static String hexadecimal(byte[] value) {
        return "0x" + HexFormat.of().formatHex(value);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
