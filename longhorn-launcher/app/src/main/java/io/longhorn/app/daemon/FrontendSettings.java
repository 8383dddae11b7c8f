package io.longhorn.app.daemon;

import io.longhorn.HostPort;
import io.longhorn.frontend.device.DeviceMechanism;
import io.longhorn.frontend.nbd.NbdTls;
import java.util.Optional;

/**
 * How a daemon shows devices.
 *
 * @param nbd where NBD listens unless an attachment says otherwise; empty: the first free port of loopback
 * @param nbdTls what NBD clients must speak over TCP; empty: no TLS
 * @param iscsi where iSCSI listens unless an attachment says otherwise; empty: the first free port of loopback
 * @param chap what iSCSI initiators must know; empty: nothing
 * @param deviceMechanism how devices of the kernel are made; empty: as the first that the machine offers
 * @param trustedNetwork whether NBD and iSCSI may listen beyond loopback although they ask nobody who he is
 */
public record FrontendSettings(
        Optional<HostPort> nbd,
        Optional<NbdTls> nbdTls,
        Optional<HostPort> iscsi,
        Optional<ChapSecrets> chap,
        Optional<DeviceMechanism> deviceMechanism,
        boolean trustedNetwork) {

    /** On loopback only, for everybody there. */
    public static FrontendSettings local() {
        return new FrontendSettings(
                Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), false);
    }
}
