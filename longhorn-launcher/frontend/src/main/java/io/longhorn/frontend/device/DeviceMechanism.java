package io.longhorn.frontend.device;

/** How a block device of this host's kernel comes to show a volume. In the order in which they are tried when none is asked for: what needs least of the host comes first. */
public enum DeviceMechanism {

    /**
     * A loop device on a file that this process serves by FUSE. Needs root and {@code /dev/fuse}, {@code /dev/loop-control}, which every usual kernel has, and JNA. When the
     * process ends, operations on the device fail.
     */
    FUSE("fuse"),

    /** The kernel's NBD client on our NBD server. Needs root, the kernel module nbd, and {@code nbd-client}. When the process ends, operations on the device fail. */
    NBD("nbd"),

    /**
     * The kernel's iSCSI initiator on our iSCSI target. Needs root, the kernel module iscsi_tcp, {@code iscsiadm} and a running {@code iscsid}. When the process ends,
     * operations wait until it is back.
     */
    ISCSI("iscsi");

    private final String label;

    DeviceMechanism(String label) {
        this.label = label;
    }

    /** The name for settings and people: {@code fuse}, {@code nbd}, {@code iscsi}. */
    public String label() {
        return label;
    }

    /**
     * The mechanism of that label.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static DeviceMechanism ofLabel(String label) {
        for (DeviceMechanism mechanism : values()) {
            if (mechanism.label.equals(label)) {
                return mechanism;
            }
        }
        throw new IllegalArgumentException("a device mechanism is fuse, nbd or iscsi, was \"" + label + "\"");
    }
}
