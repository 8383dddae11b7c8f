package io.longhorn.backup.nfs;

/** Status codes of NFSv4.1 (RFC 8881, section 15) that are told apart here. */
final class NfsStatus {
    static final int OK = 0;
    static final int PERM = 1;
    static final int NOENT = 2;
    static final int IO = 5;
    static final int ACCESS = 13;
    static final int EXIST = 17;
    static final int NOTDIR = 20;
    static final int ISDIR = 21;
    static final int INVAL = 22;
    static final int FBIG = 27;
    static final int NOSPC = 28;
    static final int ROFS = 30;
    static final int NAMETOOLONG = 63;
    static final int NOTEMPTY = 66;
    static final int DQUOT = 69;
    static final int STALE = 70;
    static final int BADHANDLE = 10001;
    static final int BAD_COOKIE = 10003;
    static final int SERVERFAULT = 10006;
    static final int DELAY = 10008;
    static final int EXPIRED = 10011;
    static final int GRACE = 10013;
    static final int FHEXPIRED = 10014;
    static final int WRONGSEC = 10016;
    static final int MOVED = 10019;
    static final int MINOR_VERS_MISMATCH = 10021;
    static final int STALE_CLIENTID = 10022;
    static final int STALE_STATEID = 10023;
    static final int OLD_STATEID = 10024;
    static final int BAD_STATEID = 10025;
    static final int NOT_SAME = 10027;
    static final int SYMLINK = 10029;
    static final int BADCHAR = 10040;
    static final int BADNAME = 10041;
    static final int OP_ILLEGAL = 10044;
    static final int ADMIN_REVOKED = 10047;
    static final int BADSESSION = 10052;
    static final int BADSLOT = 10053;
    static final int COMPLETE_ALREADY = 10054;
    static final int CONN_NOT_BOUND_TO_SESSION = 10055;
    static final int SEQ_MISORDERED = 10063;
    static final int RETRY_UNCACHED_REP = 10068;
    static final int SEQ_FALSE_RETRY = 10076;
    static final int BAD_HIGH_SLOT = 10077;
    static final int DEADSESSION = 10078;

    private NfsStatus() {}

    /** As the documents and tools of NFS call it. */
    static String nameOf(int status) {
        return switch (status) {
            case PERM -> "NFS4ERR_PERM";
            case NOENT -> "NFS4ERR_NOENT";
            case IO -> "NFS4ERR_IO";
            case ACCESS -> "NFS4ERR_ACCESS";
            case EXIST -> "NFS4ERR_EXIST";
            case NOTDIR -> "NFS4ERR_NOTDIR";
            case ISDIR -> "NFS4ERR_ISDIR";
            case INVAL -> "NFS4ERR_INVAL";
            case FBIG -> "NFS4ERR_FBIG";
            case NOSPC -> "NFS4ERR_NOSPC";
            case ROFS -> "NFS4ERR_ROFS";
            case NAMETOOLONG -> "NFS4ERR_NAMETOOLONG";
            case NOTEMPTY -> "NFS4ERR_NOTEMPTY";
            case DQUOT -> "NFS4ERR_DQUOT";
            case STALE -> "NFS4ERR_STALE";
            case BADHANDLE -> "NFS4ERR_BADHANDLE";
            case BAD_COOKIE -> "NFS4ERR_BAD_COOKIE";
            case SERVERFAULT -> "NFS4ERR_SERVERFAULT";
            case DELAY -> "NFS4ERR_DELAY";
            case EXPIRED -> "NFS4ERR_EXPIRED";
            case GRACE -> "NFS4ERR_GRACE";
            case FHEXPIRED -> "NFS4ERR_FHEXPIRED";
            case WRONGSEC -> "NFS4ERR_WRONGSEC";
            case MOVED -> "NFS4ERR_MOVED";
            case MINOR_VERS_MISMATCH -> "NFS4ERR_MINOR_VERS_MISMATCH";
            case STALE_CLIENTID -> "NFS4ERR_STALE_CLIENTID";
            case STALE_STATEID -> "NFS4ERR_STALE_STATEID";
            case OLD_STATEID -> "NFS4ERR_OLD_STATEID";
            case BAD_STATEID -> "NFS4ERR_BAD_STATEID";
            case NOT_SAME -> "NFS4ERR_NOT_SAME";
            case SYMLINK -> "NFS4ERR_SYMLINK";
            case BADCHAR -> "NFS4ERR_BADCHAR";
            case BADNAME -> "NFS4ERR_BADNAME";
            case OP_ILLEGAL -> "NFS4ERR_OP_ILLEGAL";
            case ADMIN_REVOKED -> "NFS4ERR_ADMIN_REVOKED";
            case BADSESSION -> "NFS4ERR_BADSESSION";
            case BADSLOT -> "NFS4ERR_BADSLOT";
            case COMPLETE_ALREADY -> "NFS4ERR_COMPLETE_ALREADY";
            case CONN_NOT_BOUND_TO_SESSION -> "NFS4ERR_CONN_NOT_BOUND_TO_SESSION";
            case SEQ_MISORDERED -> "NFS4ERR_SEQ_MISORDERED";
            case RETRY_UNCACHED_REP -> "NFS4ERR_RETRY_UNCACHED_REP";
            case SEQ_FALSE_RETRY -> "NFS4ERR_SEQ_FALSE_RETRY";
            case BAD_HIGH_SLOT -> "NFS4ERR_BAD_HIGH_SLOT";
            case DEADSESSION -> "NFS4ERR_DEADSESSION";
            default -> "NFS status " + Integer.toUnsignedString(status);
        };
    }
}
