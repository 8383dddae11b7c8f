package io.longhorn.frontend.scsi;

import java.util.Arrays;
import java.util.Optional;

/** What a persistent reservation keeps others from (SPC-4 6.15.3.4). The codes are those of the standard, also in what is kept. */
enum ReservationType {
    WRITE_EXCLUSIVE(1, false, Holder.ONE),
    EXCLUSIVE_ACCESS(3, true, Holder.ONE),
    WRITE_EXCLUSIVE_REGISTRANTS_ONLY(5, false, Holder.ONE_FOR_REGISTRANTS),
    EXCLUSIVE_ACCESS_REGISTRANTS_ONLY(6, true, Holder.ONE_FOR_REGISTRANTS),
    WRITE_EXCLUSIVE_ALL_REGISTRANTS(7, false, Holder.ALL_REGISTRANTS),
    EXCLUSIVE_ACCESS_ALL_REGISTRANTS(8, true, Holder.ALL_REGISTRANTS);

    private enum Holder {
        ONE,
        ONE_FOR_REGISTRANTS,
        ALL_REGISTRANTS
    }

    private final int code;
    private final boolean exclusiveAccess;
    private final Holder holder;

    ReservationType(int code, boolean exclusiveAccess, Holder holder) {
        this.code = code;
        this.exclusiveAccess = exclusiveAccess;
        this.holder = holder;
    }

    static Optional<ReservationType> of(int code) {
        return Arrays.stream(values()).filter(type -> type.code == code).findFirst();
    }

    int code() {
        return code;
    }

    /** Whether every registrant holds it. */
    boolean isHeldByAll() {
        return holder == Holder.ALL_REGISTRANTS;
    }

    /** Whether registrants may do what the holder may. */
    boolean admitsRegistrants() {
        return holder != Holder.ONE;
    }

    /** Whether those who are not admitted are kept from this. */
    boolean forbids(Access access) {
        return access == Access.WRITE || (access == Access.READ && exclusiveAccess);
    }
}
