package io.longhorn.frontend.iscsi;

/**
 * What a login agreed on (RFC 7143 13). The defaults hold for what was not spoken of.
 *
 * @param headerDigest whether headers carry CRC32C
 * @param dataDigest whether data carries CRC32C
 * @param initialR2t whether the initiator waits for an R2T before it sends data outside of the command's PDU
 * @param immediateData whether the command's PDU may carry data
 * @param sendSegmentMax the longest data segment that the initiator takes, in bytes
 * @param burstMax the most data of an R2T, or of a sequence of Data-In, in bytes
 * @param firstBurstMax the most data that an initiator sends unasked, in bytes
 * @param outstandingR2tMax how many R2Ts of a command may be unanswered
 */
record SessionParameters(
        boolean headerDigest,
        boolean dataDigest,
        boolean initialR2t,
        boolean immediateData,
        int sendSegmentMax,
        int burstMax,
        int firstBurstMax,
        int outstandingR2tMax) {}
