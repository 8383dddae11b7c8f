package io.longhorn.backup.nfs;

import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Reads XDR (RFC 4506) that somebody else wrote: lengths are compared with what is there and with what is sensible before anything is allocated.
 */
final class XdrReader {
    private final ByteBuffer bytes;

    /** Reads the remaining bytes in place; the buffer's position stays. */
    XdrReader(ByteBuffer bytes) {
        this.bytes = bytes.slice();
    }

    int int32() throws ProtocolException {
        return require(Integer.BYTES).getInt();
    }

    long uint32() throws ProtocolException {
        return Integer.toUnsignedLong(int32());
    }

    /** Also for unsigned ones, whose highest bit is the sign here. */
    long int64() throws ProtocolException {
        return require(Long.BYTES).getLong();
    }

    boolean bool() throws ProtocolException {
        int value = int32();
        if (value != 0 && value != 1) {
            throw malformed("a boolean is " + Integer.toUnsignedString(value));
        }
        return value == 1;
    }

    /** As many bytes as the protocol says, copied. */
    byte[] fixed(int length) throws ProtocolException {
        byte[] copy = new byte[length];
        view(length).get(copy);
        return copy;
    }

    /** Bytes with their length before them: a view, at most so many. */
    ByteBuffer opaque(int bytesMax) throws ProtocolException {
        return view(count(bytesMax));
    }

    byte[] opaqueCopy(int bytesMax) throws ProtocolException {
        return fixed(count(bytesMax));
    }

    /** Text in UTF-8; empty if it is none. */
    Optional<String> text(int bytesMax) throws ProtocolException {
        ByteBuffer encoded = opaque(bytesMax);
        try {
            return Optional.of(
                    StandardCharsets.UTF_8.newDecoder().decode(encoded).toString());
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }

    /** How many elements, or bytes, follow. */
    int count(int max) throws ProtocolException {
        long count = uint32();
        if (count > max) {
            throw malformed("a length is " + count + ", at most " + max + " are expected");
        }
        return (int) count;
    }

    int remaining() {
        return bytes.remaining();
    }

    private ByteBuffer view(int length) throws ProtocolException {
        int padded = XdrWriter.padded(length);
        require(padded);
        ByteBuffer view = bytes.slice(bytes.position(), length);
        bytes.position(bytes.position() + padded);
        return view;
    }

    private ByteBuffer require(int length) throws ProtocolException {
        if (bytes.remaining() < length) {
            throw malformed(
                    "it ends after " + bytes.limit() + " bytes, " + (length - bytes.remaining()) + " too early");
        }
        return bytes;
    }

    private ProtocolException malformed(String what) {
        return new ProtocolException("malformed answer: at byte " + bytes.position() + ", " + what);
    }
}
