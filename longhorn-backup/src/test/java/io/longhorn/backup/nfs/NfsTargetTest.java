package io.longhorn.backup.nfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.BackupTarget;
import io.longhorn.BackupTargetException;
import io.longhorn.backup.BackupStore;
import io.longhorn.backup.ObjectStore;
import java.net.URI;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NfsTargetTest {

    private static NfsTarget parse(String uri) {
        return NfsTarget.parse(URI.create(uri));
    }

    @Test
    void longhornsFormIsUnderstood() {
        NfsTarget target = parse("nfs://server:/export/path");
        assertThat(target.host()).isEqualTo("server");
        assertThat(target.port()).isEqualTo(2049);
        assertThat(target.path()).containsExactly("export", "path");
        assertThat(target.uid()).isZero();
        assertThat(target.gid()).isZero();
        assertThat(target.attemptNanos()).isEqualTo(TimeUnit.SECONDS.toNanos(30));
        assertThat(target.repetitions()).isEqualTo(2);
        assertThat(target.firstContactNanos()).isZero();
        assertThat(target.describe()).isEqualTo("nfs://server/export/path");
    }

    @Test
    void optionsAreAListOrSeveral() {
        NfsTarget target =
                parse("nfs://s/x?nfsOptions=soft,timeo=50,retrans=1,vers=4.2&nfsOptions=uid=7,gid=8,rsize=4096,"
                        + "wsize=9999999,retry=3,port=12049,proto=tcp,actimeo=1,sec=sys");
        assertThat(target.attemptNanos()).isEqualTo(TimeUnit.SECONDS.toNanos(5));
        assertThat(target.repetitions()).isEqualTo(1);
        assertThat(target.uid()).isEqualTo(7);
        assertThat(target.gid()).isEqualTo(8);
        assertThat(target.options().readBytesMax()).isEqualTo(4096);
        assertThat(target.options().writeBytesMax()).isEqualTo(1 << 20);
        assertThat(target.firstContactNanos()).isEqualTo(TimeUnit.MINUTES.toNanos(3));
        assertThat(target.port()).isEqualTo(12049);
        assertThat(target.describe()).isEqualTo("nfs://s:12049/x");
    }

    @Test
    void hostsMayBeAddresses() {
        assertThat(parse("nfs://[::1]/x").host()).isEqualTo("[::1]");
        assertThat(parse("nfs://[::1]:123/x").port()).isEqualTo(123);
        assertThat(parse("nfs://my_host:123/x").host()).isEqualTo("my_host");
    }

    @Test
    void thePathIsDecoded() {
        assertThat(parse("nfs://s//a%20b/c+d/%C3%A4/").path()).containsExactly("a b", "c+d", "\u00e4");
        assertThat(parse("nfs://s/").path()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "nfs://s | nfs://HOST",
                "nfs:/x | nfs://HOST",
                "nfs:///x | nfs://HOST",
                "nfs://me@s/x | nfs://HOST",
                "nfs://s/x#y | nfs://HOST",
                "nfs://s:0/x | the port is a number from 1 to 65535, was '0'",
                "nfs://s:70000/x | '70000'",
                "nfs://s:1/x?nfsOptions=port=2 | 1 before the path and 2",
                "nfs://s/a/../b | without . and ..",
                "nfs://s/a%2Fb | without . and ..",
                "nfs://s/x?other=1 | other=1",
                "nfs://s/x?nfsOptions=vers=3 | vers is 4 or 4.1 or 4.2, was '3'",
                "nfs://s/x?nfsOptions=nfsvers=4.0 | NFSv4.1",
                "nfs://s/x?nfsOptions=minorversion=0 | 1 or 2",
                "nfs://s/x?nfsOptions=proto=udp | TCP",
                "nfs://s/x?nfsOptions=sec=krb5 | Kerberos",
                "nfs://s/x?nfsOptions=timeo=0 | timeo is a number from 1",
                "nfs://s/x?nfsOptions=timeo | timeo is a number",
                "nfs://s/x?nfsOptions=retrans=-1 | '-1'",
                "nfs://s/x?nfsOptions=rsize=99999999999 | rsize",
                "nfs://s/x?nfsOptions=soft,nconnect=4 | unknown NFS option 'nconnect=4'; known are actimeo=, gid=, hard"
            })
    void whatIsNotUnderstoodIsToldWithWhatIsExpected(String uri, String expected) {
        NfsStoreProvider provider = new NfsStoreProvider();
        assertThatThrownBy(() -> provider.open(BackupTarget.at(URI.create(uri))))
                .isInstanceOf(BackupTargetException.class)
                .hasMessageContaining(expected);
    }

    @Test
    void theProviderIsFound() {
        try (BackupStore store = BackupStore.open(BackupTarget.at(URI.create("nfs://localhost:1/x")))) {
            assertThatThrownBy(store::volumes)
                    .isInstanceOf(BackupTargetException.class)
                    .hasMessageContaining("cannot connect to localhost, port 1");
        }
    }

    @Test
    void openingConnectsToNothing() {
        try (ObjectStore store = new NfsStoreProvider().open(BackupTarget.at(URI.create("nfs://nowhere.invalid/x")))) {
            assertThat(store.describe()).isEqualTo("nfs://nowhere.invalid/x");
        }
    }
}
