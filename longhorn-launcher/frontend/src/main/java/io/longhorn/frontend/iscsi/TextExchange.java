package io.longhorn.frontend.iscsi;

import io.longhorn.HostPort;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Text requests in full feature phase (RFC 7143 11.10): which targets are there, and the few keys that may change. One negotiation at a time. Event loop only. */
final class TextExchange implements DataSink {

    private static final String SEND_TARGETS = "SendTargets";

    /** The tag of a negotiation that goes on; there is one at most. */
    private static final int TTT = 1;

    private final PortalState portal;
    private final IscsiConnection connection;
    private final KeyNegotiation keys;
    private final String initiator;
    private final @Nullable IscsiTargetSpec target;
    private final ByteBuf request = Unpooled.buffer();
    private ByteBuf rest = Unpooled.EMPTY_BUFFER;
    private boolean isTooLong;

    /** @param target that of the session; null in a discovery session */
    TextExchange(
            PortalState portal,
            IscsiConnection connection,
            KeyNegotiation keys,
            String initiator,
            @Nullable IscsiTargetSpec target) {
        this.portal = portal;
        this.connection = connection;
        this.keys = keys;
        this.initiator = initiator;
        this.target = target;
    }

    @Override
    public void take(ByteBuf piece, int length) {
        if (request.readableBytes() + length > TextPairs.BYTES_MAX) {
            isTooLong = true;
            piece.skipBytes(length);
        } else {
            request.writeBytes(piece, length);
        }
    }

    /** Answers a request whose data was taken; false if it makes no sense and is to be rejected. */
    boolean answer(PduHeader header) {
        int ttt = header.intAt(Pdu.TTT_OFFSET);
        boolean goesOn = header.has(Pdu.CONTINUE);
        if (isTooLong || (goesOn && header.isFinal()) || (ttt != Pdu.NO_TAG && ttt != TTT)) {
            reset();
            return false;
        }
        if (ttt == Pdu.NO_TAG) {
            rest = Unpooled.EMPTY_BUFFER;
        }
        if (goesOn) {
            send(header, Unpooled.EMPTY_BUFFER, 0, TTT);
            return true;
        }
        if (!rest.isReadable() || request.isReadable()) {
            Optional<TextPairs> pairs = TextPairs.parse(request);
            request.clear();
            if (pairs.isEmpty()) {
                reset();
                return false;
            }
            rest = Unpooled.wrappedBuffer(answer(pairs.get()).getBytes(StandardCharsets.UTF_8));
        }
        sendNext(header);
        return true;
    }

    /** What came of a request that was damaged on the way counts for nothing. */
    void reset() {
        request.clear();
        rest = Unpooled.EMPTY_BUFFER;
        isTooLong = false;
    }

    private void sendNext(PduHeader header) {
        int length = Math.min(rest.readableBytes(), keys.result().sendSegmentMax());
        ByteBuf piece = Unpooled.copiedBuffer(rest.readSlice(length));
        boolean isLast = !rest.isReadable();
        boolean isFinal = isLast && header.isFinal();
        int flags = isFinal ? Pdu.FINAL : isLast ? 0 : Pdu.CONTINUE;
        send(header, piece, flags, isFinal ? Pdu.NO_TAG : TTT);
    }

    private void send(PduHeader request, ByteBuf data, int flags, int ttt) {
        PduWriter writer = connection.writer();
        ByteBuf header = writer.header(Pdu.TEXT_RESPONSE, flags);
        header.setLong(Pdu.LUN_OFFSET, request.lun());
        header.setInt(Pdu.ITT_OFFSET, request.itt());
        header.setInt(Pdu.TTT_OFFSET, ttt);
        writer.numberStatus(header);
        writer.send(header, data);
    }

    private String answer(TextPairs pairs) {
        StringBuilder listed = new StringBuilder();
        TextPairs reply = new TextPairs();
        for (Map.Entry<String, String> pair : pairs.all().entrySet()) {
            if (pair.getKey().equals(SEND_TARGETS)) {
                list(pair.getValue(), listed, reply);
            } else {
                keys.answerLater(pair.getKey(), pair.getValue(), reply);
            }
        }
        return new String(reply.bytes(), StandardCharsets.UTF_8) + listed;
    }

    /** Appendix C: all targets in a discovery session only; the session's own for an empty value; else the one that is named. */
    private void list(String which, StringBuilder text, TextPairs reply) {
        IscsiTargetSpec own = target;
        if (which.equals("All")) {
            if (own != null) {
                reply.put(SEND_TARGETS, KeyNegotiation.REJECT);
                return;
            }
            portal.targets().all().forEach(served -> list(served.spec(), text));
        } else if (which.isEmpty()) {
            if (own == null) {
                reply.put(SEND_TARGETS, KeyNegotiation.REJECT);
                return;
            }
            list(own, text);
        } else {
            portal.targets().find(which.toLowerCase(Locale.ROOT)).ifPresent(served -> list(served.spec(), text));
        }
    }

    private void list(IscsiTargetSpec spec, StringBuilder text) {
        if (spec.admits(initiator)) {
            text.append("TargetName=").append(spec.iqn()).append('\0');
            text.append("TargetAddress=").append(address()).append(',');
            text.append(LoginExchange.PORTAL_GROUP_TAG).append('\0');
        }
    }

    private HostPort address() {
        return portal.settings().advertisedAddress().orElseGet(() -> hostPort(connection.localAddress()));
    }

    /** As text without the scope of a link-local address, which means nothing to another machine. */
    static HostPort hostPort(InetSocketAddress address) {
        InetAddress host = address.getAddress();
        String text = host.getHostAddress();
        int scope = text.indexOf('%');
        return new HostPort(scope < 0 ? text : text.substring(0, scope), address.getPort());
    }
}
