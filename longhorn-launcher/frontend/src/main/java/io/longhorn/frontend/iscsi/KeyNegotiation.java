package io.longhorn.frontend.iscsi;

import java.util.List;
import java.util.Set;

/**
 * The operational keys of a session (RFC 7143 13), from the answering side. The initiator always speaks first: where our limits are below the defaults the RFC would have us
 * begin, and {@link IscsiSettings} has no such limits.
 */
final class KeyNegotiation {

    static final String IRRELEVANT = "Irrelevant";
    static final String NOT_UNDERSTOOD = "NotUnderstood";
    static final String REJECT = "Reject";
    static final String NONE = "None";

    private static final String YES = "Yes";
    private static final String NO = "No";
    private static final String CRC32C = "CRC32C";
    private static final String MAX_RECV = "MaxRecvDataSegmentLength";
    private static final int SEGMENT_MIN = 512;
    private static final int SECONDS_MAX = 3600;
    private static final int COUNT_MAX = 65_535;
    private static final int PROTOCOL_LEVEL = 1;
    private static final int PROTOCOL_LEVEL_MAX = 31;

    /** How many R2Ts of one command we leave unanswered. More than one hides a round trip between the bursts of a long write. */
    private static final int OUTSTANDING_R2T_MAX = 4;

    /** Keys that mean nothing in a discovery session. */
    private static final Set<String> NORMAL_ONLY = Set.of(
            "MaxConnections",
            "InitialR2T",
            "ImmediateData",
            "MaxBurstLength",
            "FirstBurstLength",
            "MaxOutstandingR2T",
            "DataPDUInOrder",
            "DataSequenceInOrder",
            "TaskReporting",
            "iSCSIProtocolLevel");

    /** Keys of which a login may speak but a session in full feature phase may not. */
    private static final Set<String> LOGIN_ONLY = Set.of(
            "HeaderDigest",
            "DataDigest",
            "MaxConnections",
            "InitialR2T",
            "ImmediateData",
            "MaxBurstLength",
            "FirstBurstLength",
            "DefaultTime2Wait",
            "DefaultTime2Retain",
            "MaxOutstandingR2T",
            "DataPDUInOrder",
            "DataSequenceInOrder",
            "ErrorRecoveryLevel",
            "SessionType",
            "TaskReporting",
            "iSCSIProtocolLevel",
            "IFMarker",
            "OFMarker",
            "IFMarkInt",
            "OFMarkInt",
            "AuthMethod");

    private final IscsiSettings settings;
    private final boolean discovery;
    private boolean lengthTold;

    private boolean headerDigest;
    private boolean dataDigest;
    private boolean initialR2t = true;
    private boolean immediateData = true;
    private int sendSegmentMax = IscsiSettings.SEGMENT_DEFAULT;
    private int burstMax = IscsiSettings.MAX_BURST_DEFAULT;
    private int firstBurstMax = IscsiSettings.FIRST_BURST_DEFAULT;
    private int outstandingR2tMax = 1;

    KeyNegotiation(IscsiSettings settings, boolean discovery) {
        this.settings = settings;
        this.discovery = discovery;
    }

    /** Answers one key of the operational stage. */
    void answer(String key, String value, TextPairs reply) {
        if (value.equals(NOT_UNDERSTOOD) || value.equals(IRRELEVANT)) {
            return;
        }
        if (discovery && NORMAL_ONLY.contains(key)) {
            reply.put(key, IRRELEVANT);
            return;
        }
        switch (key) {
            case "HeaderDigest" -> headerDigest = digest(key, value, reply);
            case "DataDigest" -> dataDigest = digest(key, value, reply);
            case MAX_RECV -> takeSegmentLength(value, reply);
            case "MaxConnections" -> least(key, value, 1, COUNT_MAX, 1, 1, reply);
            case "InitialR2T" -> initialR2t = either(key, value, initialR2t, reply);
            case "ImmediateData" -> immediateData = either(key, value, immediateData, reply);
            case "MaxBurstLength" ->
                burstMax = least(
                        key, value, SEGMENT_MIN, IscsiSettings.LENGTH_LIMIT, settings.burstMax(), burstMax, reply);
            case "FirstBurstLength" ->
                firstBurstMax = least(
                        key,
                        value,
                        SEGMENT_MIN,
                        IscsiSettings.LENGTH_LIMIT,
                        settings.firstBurstMax(),
                        firstBurstMax,
                        reply);
            case "MaxOutstandingR2T" ->
                outstandingR2tMax = least(key, value, 1, COUNT_MAX, OUTSTANDING_R2T_MAX, outstandingR2tMax, reply);
            case "DataPDUInOrder", "DataSequenceInOrder" -> both(key, value, reply);
            // The larger one holds, and ours is 0.
            case "DefaultTime2Wait" -> least(key, value, 0, SECONDS_MAX, SECONDS_MAX, 0, reply);
            case "DefaultTime2Retain", "ErrorRecoveryLevel" ->
                least(key, value, 0, key.equals("ErrorRecoveryLevel") ? 2 : SECONDS_MAX, 0, 0, reply);
            case "TaskReporting" -> pick(key, value, List.of("RFC3720"), reply);
            case "iSCSIProtocolLevel" -> least(key, value, 0, PROTOCOL_LEVEL_MAX, PROTOCOL_LEVEL, 0, reply);
            // Obsolete; the RFC wants no "NotUnderstood" here (13.25).
            case "IFMarker", "OFMarker" -> reply.put(key, NO);
            case "IFMarkInt", "OFMarkInt" -> reply.put(key, REJECT);
            // What is declared needs no answer.
            case "InitiatorName", "InitiatorAlias", "TargetName", "SessionType", "X#NodeArchitecture" -> {}
            default -> reply.put(key, NOT_UNDERSTOOD);
        }
    }

    /** Answers one key of a text request in full feature phase; SendTargets is not for here. */
    void answerLater(String key, String value, TextPairs reply) {
        if (key.equals(MAX_RECV)) {
            takeSegmentLength(value, reply);
        } else if (LOGIN_ONLY.contains(key)) {
            reply.put(key, REJECT);
        } else if (!key.equals("InitiatorAlias")) {
            reply.put(key, NOT_UNDERSTOOD);
        }
    }

    /** Tells the one limit that both sides declare instead of negotiating; once. */
    void declare(TextPairs reply) {
        if (!lengthTold && reply.get(MAX_RECV).isEmpty()) {
            lengthTold = true;
            reply.put(MAX_RECV, Integer.toString(settings.receiveSegmentMax()));
        }
    }

    SessionParameters result() {
        return new SessionParameters(
                headerDigest,
                dataDigest,
                initialR2t,
                immediateData,
                sendSegmentMax,
                burstMax,
                Math.min(firstBurstMax, burstMax),
                outstandingR2tMax);
    }

    private boolean digest(String key, String value, TextPairs reply) {
        return pick(key, value, settings.digestsAllowed() ? List.of(CRC32C, NONE) : List.of(NONE), reply)
                .equals(CRC32C);
    }

    /** The first of a list that we have as well (6.2.1). */
    private static String pick(String key, String value, List<String> ours, TextPairs reply) {
        for (String offered : value.split(",", -1)) {
            if (ours.contains(offered)) {
                reply.put(key, offered);
                return offered;
            }
        }
        reply.put(key, REJECT);
        return REJECT;
    }

    /** A boolean for which we leave the choice to the initiator, whichever function it has. */
    private static boolean either(String key, String value, boolean before, TextPairs reply) {
        if (!value.equals(YES) && !value.equals(NO)) {
            reply.put(key, REJECT);
            return before;
        }
        reply.put(key, value);
        return value.equals(YES);
    }

    /** A boolean with the function OR, of which we say yes. */
    private static void both(String key, String value, TextPairs reply) {
        reply.put(key, value.equals(YES) || value.equals(NO) ? YES : REJECT);
    }

    private static int least(String key, String value, int min, int max, int ours, int before, TextPairs reply) {
        long offered = number(value);
        if (offered < min || offered > max) {
            reply.put(key, REJECT);
            return before;
        }
        int agreed = (int) Math.min(offered, ours);
        reply.put(key, Integer.toString(agreed));
        return agreed;
    }

    private void takeSegmentLength(String value, TextPairs reply) {
        long length = number(value);
        if (length < SEGMENT_MIN || length > IscsiSettings.LENGTH_LIMIT) {
            reply.put(MAX_RECV, REJECT);
        } else {
            sendSegmentMax = (int) length;
        }
    }

    /** A number in decimal or hexadecimal (6.1); -1 if it is none. */
    private static long number(String value) {
        boolean hexadecimal = value.startsWith("0x") || value.startsWith("0X");
        String digits = hexadecimal ? value.substring(2) : value;
        int radix = hexadecimal ? 16 : 10;
        if (digits.isEmpty() || digits.length() > 10) {
            return -1;
        }
        long number = 0;
        for (int i = 0; i < digits.length(); i++) {
            int digit = Character.digit(digits.charAt(i), radix);
            if (digit < 0 || digits.charAt(i) > 'f') {
                return -1;
            }
            number = number * radix + digit;
        }
        return number;
    }
}
