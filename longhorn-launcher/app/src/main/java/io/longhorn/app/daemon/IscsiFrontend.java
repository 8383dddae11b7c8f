package io.longhorn.app.daemon;

import io.longhorn.HostPort;
import io.longhorn.frontend.BlockDevice;
import io.longhorn.frontend.iscsi.IscsiNames;
import io.longhorn.frontend.iscsi.IscsiPortal;
import io.longhorn.frontend.iscsi.IscsiSettings;
import io.longhorn.frontend.iscsi.IscsiTargetSpec;
import io.longhorn.frontend.scsi.FileReservationStore;
import io.longhorn.frontend.scsi.ReservationStore;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/** Shows devices as targets of iSCSI portals: one portal per address, shared by all that are shown there. Persistent reservations last over restarts. */
final class IscsiFrontend implements Frontend {

    private final ListenRule rule;
    private final Optional<ChapSecrets> chap;
    private final ReservationStore reservations;
    private final SharedServers<IscsiPortal> portals;

    /** @param directory keeps the reservations */
    IscsiFrontend(FrontendSettings settings, Path directory) {
        this.chap = settings.chap();
        this.rule = new ListenRule(settings.trustedNetwork() || chap.isPresent());
        this.reservations = new FileReservationStore(directory);
        this.portals = new SharedServers<>(
                settings.iscsi(), this::start, portal -> portal.address().toString());
    }

    private IscsiPortal start(String listen) {
        HostPort address = HostPort.parse(listen);
        rule.check(address);
        return IscsiPortal.start(IscsiSettings.builder().listen(address).build());
    }

    @Override
    public FrontendKind kind() {
        return FrontendKind.ISCSI;
    }

    @Override
    public Optional<String> problem() {
        return Optional.empty();
    }

    @Override
    public Shown show(Attachment attachment, BlockDevice device, Set<String> taken) {
        String iqn =
                attachment.name().isEmpty() ? IscsiNames.forVolume(device.name(), taken::contains) : attachment.name();
        return portals.use(attachment.listen(), (listen, portal) -> {
            IscsiTargetSpec.Builder target = IscsiTargetSpec.of(iqn, device).reservations(reservations);
            chap.ifPresent(secrets -> secrets.addTo(target));
            portal.serve(target.build());
            return new Shown(listen, iqn, portal.uri(iqn).orElseThrow());
        });
    }

    @Override
    public void withdraw(Attachment attachment) {
        portals.leave(attachment.listen(), portal -> portal.withdraw(attachment.name()));
    }

    @Override
    public int clients(Attachment attachment) {
        return portals.find(attachment.listen())
                .map(portal -> portal.sessions(attachment.name()))
                .orElse(0);
    }

    @Override
    public void close() {
        portals.close();
    }
}
