package io.longhorn.frontend.iscsi;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The login phase of one connection (RFC 7143 6.3): takes requests, says what to answer. Knows no network and no time.
 *
 * <pre>
 *   security stage (0) --- who is it ---> operational stage (1) --- how do we speak ---> full feature phase (3)
 *          \___________________________________________________________________________________^
 * </pre>
 *
 * An initiator may leave either stage out, the first one only if it need not prove anything.
 */
final class LoginExchange {

    static final int SECURITY = 0;
    static final int OPERATIONAL = 1;
    static final int FULL_FEATURE = 3;

    /** A stage mask in the flags: the current one is two bits further left. */
    private static final int STAGE_MASK = 3;

    private static final int CURRENT_STAGE_SHIFT = 2;

    /** The only group of portals: each portal stands alone. */
    static final String PORTAL_GROUP_TAG = "1";

    private static final String AUTH_METHOD = "AuthMethod";
    private static final String CHAP = "CHAP";
    private static final Set<String> SECURITY_KEYS =
            Set.of(AUTH_METHOD, "CHAP_A", "CHAP_N", "CHAP_R", "CHAP_C", "CHAP_I");
    private static final Set<String> DECLARED_KEYS =
            Set.of("InitiatorName", "InitiatorAlias", "TargetName", "SessionType");

    /**
     * What to answer.
     *
     * @param flags the second byte of the answer
     * @param text the keys; empty unless the status is a success
     * @param isLast whether full feature phase follows
     */
    record Reply(LoginStatus status, int flags, byte[] text, boolean isLast) {}

    private final IscsiSettings settings;
    private final Function<String, Optional<IscsiTargetSpec>> targets;
    private final ByteBuf text = Unpooled.buffer();

    private int stage = -1;
    private boolean portalGroupTold;
    private String initiator = "";
    private @Nullable IscsiTargetSpec target;
    private @Nullable KeyNegotiation keys;
    private @Nullable ChapExchange chap;
    private boolean proved;
    private boolean isDiscovery;

    /** @param targets finds the target of a name, given in lower case */
    LoginExchange(IscsiSettings settings, Function<String, Optional<IscsiTargetSpec>> targets) {
        this.settings = settings;
        this.targets = targets;
    }

    /** The initiator's name in lower case, once the first step is done. */
    String initiator() {
        return initiator;
    }

    /** The target; empty in a discovery session. */
    Optional<IscsiTargetSpec> target() {
        return Optional.ofNullable(target);
    }

    boolean isDiscovery() {
        return isDiscovery;
    }

    /** What was agreed on so far. */
    SessionParameters parameters() {
        return keys().result();
    }

    KeyNegotiation keys() {
        KeyNegotiation known = keys;
        return known == null ? new KeyNegotiation(settings, true) : known;
    }

    /**
     * Takes a request.
     *
     * @param header of a login request
     * @param data the data segment, borrowed
     */
    Reply answer(PduHeader header, ByteBuf data) {
        if (header.unsignedByte(Pdu.VERSION_MIN_OFFSET) > 0) {
            return failed(LoginStatus.UNSUPPORTED_VERSION);
        }
        int flags = header.unsignedByte(Pdu.FLAGS_OFFSET);
        boolean transit = (flags & Pdu.FINAL) != 0;
        boolean goesOn = (flags & Pdu.CONTINUE) != 0;
        int current = (flags >> CURRENT_STAGE_SHIFT) & STAGE_MASK;
        int next = flags & STAGE_MASK;
        boolean stagesFit = current == SECURITY || current == OPERATIONAL;
        if (transit) {
            stagesFit &= !goesOn && (next == OPERATIONAL || next == FULL_FEATURE) && next > current;
        }
        if (!stagesFit || (stage >= 0 && stage != current)) {
            return failed(LoginStatus.INITIATOR_ERROR);
        }
        if (text.readableBytes() + data.readableBytes() > TextPairs.BYTES_MAX) {
            return failed(LoginStatus.INITIATOR_ERROR);
        }
        text.writeBytes(data, data.readerIndex(), data.readableBytes());
        if (goesOn) {
            return new Reply(LoginStatus.SUCCESS, current << CURRENT_STAGE_SHIFT, new byte[0], false);
        }
        Optional<TextPairs> request = TextPairs.parse(text);
        text.clear();
        return request.isEmpty()
                ? failed(LoginStatus.INITIATOR_ERROR)
                : answer(request.get(), current, transit ? next : current);
    }

    private Reply answer(TextPairs request, int current, int wanted) {
        if (stage < 0) {
            LoginStatus status = begin(request);
            if (status != LoginStatus.SUCCESS) {
                return failed(status);
            }
        }
        stage = current;
        TextPairs reply = new TextPairs();
        if (target != null && !portalGroupTold) {
            portalGroupTold = true;
            reply.put("TargetPortalGroupTag", PORTAL_GROUP_TAG);
            reply.put("TargetAlias", target.device().name());
        }
        if (current == SECURITY) {
            return secure(request, reply, wanted);
        }
        if (!proved) {
            return failed(LoginStatus.AUTHENTICATION_FAILED);
        }
        KeyNegotiation negotiation = keys();
        for (Map.Entry<String, String> pair : request.all().entrySet()) {
            if (!DECLARED_KEYS.contains(pair.getKey())) {
                negotiation.answer(pair.getKey(), pair.getValue(), reply);
            }
        }
        negotiation.declare(reply);
        return moveTo(wanted, reply);
    }

    /** The first request says who it is and what it wants (6.3, 13.21). */
    private LoginStatus begin(TextPairs request) {
        initiator = request.get("InitiatorName").orElse("").toLowerCase(Locale.ROOT);
        if (initiator.isEmpty()) {
            return LoginStatus.MISSING_PARAMETER;
        }
        if (initiator.length() > IscsiNames.LENGTH_MAX) {
            return LoginStatus.INITIATOR_ERROR;
        }
        String type = request.get("SessionType").orElse("Normal");
        isDiscovery = type.equals("Discovery");
        if (!isDiscovery && !type.equals("Normal")) {
            return LoginStatus.SESSION_TYPE_NOT_SUPPORTED;
        }
        keys = new KeyNegotiation(settings, isDiscovery);
        if (isDiscovery) {
            proved = true;
            return LoginStatus.SUCCESS;
        }
        Optional<String> name = request.get("TargetName");
        if (name.isEmpty()) {
            return LoginStatus.MISSING_PARAMETER;
        }
        Optional<IscsiTargetSpec> found = targets.apply(name.get().toLowerCase(Locale.ROOT));
        if (found.isEmpty()) {
            return LoginStatus.NOT_FOUND;
        }
        if (!found.get().admits(initiator)) {
            return LoginStatus.NOT_AUTHORIZED;
        }
        target = found.get();
        proved = target.initiatorCredentials().isEmpty();
        return LoginStatus.SUCCESS;
    }

    private Reply secure(TextPairs request, TextPairs reply, int wanted) {
        Optional<String> methods = request.get(AUTH_METHOD);
        if (methods.isPresent() && !chooseMethod(methods.get(), reply)) {
            return failed(LoginStatus.AUTHENTICATION_FAILED);
        }
        if (chap != null && !proved) {
            ChapExchange.Step step = chap.answer(request, reply);
            if (step == ChapExchange.Step.FAILED) {
                return failed(LoginStatus.AUTHENTICATION_FAILED);
            }
            proved = step == ChapExchange.Step.PROVED;
        }
        for (String key : request.all().keySet()) {
            if (!SECURITY_KEYS.contains(key) && !DECLARED_KEYS.contains(key)) {
                // Known keys have their place in the other stage; "reject" there and here ends it as the RFC wants
                // (6.2).
                reply.put(key, key.startsWith("X") ? KeyNegotiation.NOT_UNDERSTOOD : KeyNegotiation.REJECT);
            }
        }
        if (wanted != SECURITY && !proved && chap == null) {
            // It would go on without having been asked to prove anything, and it must.
            return failed(LoginStatus.AUTHENTICATION_FAILED);
        }
        return moveTo(proved ? wanted : SECURITY, reply);
    }

    private boolean chooseMethod(String methods, TextPairs reply) {
        IscsiTargetSpec wanted = target;
        Optional<ChapCredentials> credentials = wanted == null ? Optional.empty() : wanted.initiatorCredentials();
        String method = credentials.isPresent() ? CHAP : KeyNegotiation.NONE;
        if (!Set.of(methods.split(",", -1)).contains(method) || chap != null) {
            return false;
        }
        reply.put(AUTH_METHOD, method);
        if (wanted != null && credentials.isPresent()) {
            chap = new ChapExchange(
                    credentials.get(), wanted.targetCredentials().orElse(null));
        }
        return true;
    }

    private Reply moveTo(int wanted, TextPairs reply) {
        int flags = stage << CURRENT_STAGE_SHIFT;
        if (wanted != stage) {
            flags |= Pdu.FINAL | wanted;
            stage = wanted;
        }
        return new Reply(LoginStatus.SUCCESS, flags, reply.bytes(), wanted == FULL_FEATURE);
    }

    private static Reply failed(LoginStatus status) {
        return new Reply(status, 0, new byte[0], false);
    }
}
