package io.longhorn.app;

import io.longhorn.HostPort;
import io.longhorn.app.daemon.ChapSecrets;
import io.longhorn.app.daemon.FrontendSettings;
import io.longhorn.frontend.device.DeviceMechanism;
import io.longhorn.frontend.nbd.NbdTls;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The options of {@code longhorn serve} that say how it shows volumes. */
final class FrontendOptions {

    @Option(
            names = "--nbd",
            paramLabel = "HOST:PORT",
            description = "Where NBD listens unless an attachment says otherwise. Default: a free port of loopback.")
    private @Nullable HostPort nbd;

    @ArgGroup(exclusive = false)
    private @Nullable NbdTlsFiles nbdTls;

    /** The first two together. */
    private static final class NbdTlsFiles {
        @Option(
                names = "--nbd-tls-cert",
                paramLabel = "FILE",
                required = true,
                description =
                        "NBD over TCP must be encrypted: the server's certificate, PEM, followed by intermediate ones.")
        private @Nullable Path certificate;

        @Option(names = "--nbd-tls-key", paramLabel = "FILE", required = true, description = "Its key, PEM, PKCS#8.")
        private @Nullable Path key;

        @Option(
                names = "--nbd-tls-ca",
                paramLabel = "FILE",
                description = "Asks clients of NBD for certificates, which these must have signed, PEM.")
        private @Nullable Path authority;

        NbdTls files() {
            Path its = Objects.requireNonNull(certificate);
            return authority == null
                    ? NbdTls.of(its, Objects.requireNonNull(key))
                    : NbdTls.ofKnownClients(its, Objects.requireNonNull(key), authority);
        }
    }

    @Option(
            names = "--iscsi",
            paramLabel = "HOST:PORT",
            description = "Where iSCSI listens unless an attachment says otherwise. Default: a free port of loopback.")
    private @Nullable HostPort iscsi;

    @Option(
            names = "--iscsi-chap-file",
            paramLabel = "FILE",
            description = {
                "Asks initiators for a name and a secret: a file with a line \"NAME SECRET\", and perhaps a second one",
                "that targets prove to know."
            })
    private @Nullable Path chapFile;

    @Option(
            names = "--device-mechanism",
            paramLabel = "fuse|nbd|iscsi",
            description = "How devices of the kernel are made. Default: the first of these that this machine offers.")
    private @Nullable DeviceMechanism deviceMechanism;

    @Option(
            names = "--trusted-network",
            description = {
                "Let NBD and iSCSI listen beyond loopback although they ask nobody who he is, which",
                "--nbd-tls-ca and --iscsi-chap-file change."
            })
    private boolean trustedNetwork;

    FrontendSettings settings() {
        return new FrontendSettings(
                Optional.ofNullable(nbd),
                Optional.ofNullable(nbdTls).map(NbdTlsFiles::files),
                Optional.ofNullable(iscsi),
                Optional.ofNullable(chapFile).map(ChapSecrets::read),
                Optional.ofNullable(deviceMechanism),
                trustedNetwork);
    }
}
