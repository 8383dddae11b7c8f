package io.longhorn.backup.nfs;

/** Operations of NFSv4.1 (RFC 8881, section 18) that this client uses. */
enum NfsOp {
    ACCESS(3),
    CLOSE(4),
    COMMIT(5),
    CREATE(6),
    GETATTR(9),
    GETFH(10),
    LOOKUP(15),
    OPEN(18),
    PUTFH(22),
    PUTROOTFH(24),
    READ(25),
    READDIR(26),
    REMOVE(28),
    RENAME(29),
    SAVEFH(32),
    WRITE(38),
    EXCHANGE_ID(42),
    CREATE_SESSION(43),
    DESTROY_SESSION(44),
    SEQUENCE(53),
    DESTROY_CLIENTID(57),
    RECLAIM_COMPLETE(58);

    private final int code;

    NfsOp(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }
}
