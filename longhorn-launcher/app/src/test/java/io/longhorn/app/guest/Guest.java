package io.longhorn.app.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.longhorn.app.ExternalTool;
import io.longhorn.app.Waiting;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A machine with Linux under QEMU, in software, and a shell on its serial line at which the test types. {@link #HOST}
 * is this host's 127.0.0.1 for it. One thread uses it. The machine ends when it is closed, and by itself when nobody
 * types for two minutes.
 */
final class Guest implements AutoCloseable {

    static final String HOST = "10.0.2.2";

    /** A JVM in an emulation on a busy host takes a minute to start. */
    private static final Duration LIMIT = Duration.ofMinutes(3);

    private static final int MEMORY_MIB = 512;
    private static final int CONSOLE_SHOWN_MAX = 3000;

    /** What the first process says: that it reads scripts now, or how a script ended. */
    private static final Pattern REPLY = Pattern.compile("^-- (up|[0-9]+)\n", Pattern.MULTILINE);

    private final Process process;
    private final Path shell;
    private final Path console;

    /** So many characters of the shell's output are dealt with. */
    private int dealtWith;

    /**
     * How a script ended.
     *
     * @param output all that it printed
     */
    record Run(int exitCode, String output) {}

    private Guest(Process process, Path shell, Path console) {
        this.process = process;
        this.shell = shell;
        this.console = console;
    }

    /** A machine without disks. */
    static Guest boot(GuestImage image, Path directory) throws Exception {
        return bootWithDisks(image, directory, MEMORY_MIB, List.of());
    }

    /**
     * A machine with a disk, {@code /dev/vda}.
     *
     * @param drive properties of QEMU's option {@code -blockdev}
     */
    static Guest bootWithDisk(GuestImage image, Path directory, String drive) throws Exception {
        return bootWithDisks(image, directory, MEMORY_MIB, List.of(drive));
    }

    /** A machine of some size with disks, {@code /dev/vda}, {@code /dev/vdb} and so on. */
    static Guest bootWithDisks(GuestImage image, Path directory, int memoryMib, List<String> drives) throws Exception {
        Guest guest = start(image, directory, memoryMib, "", drives);
        guest.awaitReply();
        return guest;
    }

    /** A machine that boots from its disk. What the check of the file system said is in {@link #said}. */
    static Guest bootFromDisk(GuestImage image, Path directory, String drive) throws Exception {
        Guest guest = start(image, directory, MEMORY_MIB, "root=/dev/vda", List.of(drive));
        guest.awaitReply();
        return guest;
    }

    private static Guest start(GuestImage image, Path directory, int memoryMib, String parameters, List<String> drives)
            throws IOException {
        Path shell = Files.createTempFile(directory, "guest", ".shell");
        Path console = Files.createTempFile(directory, "guest", ".console");
        ExternalTool qemu = ExternalTool.require("qemu-system-x86_64", "qemu-system-x86");
        List<String> command = new ArrayList<>(List.of(qemu.file().toString()));
        command.addAll(List.of("-nodefaults", "-display", "none", "-no-reboot"));
        command.addAll(List.of("-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2"));
        command.addAll(List.of("-m", String.valueOf(memoryMib)));
        command.addAll(List.of("-kernel", image.kernel().toString()));
        command.addAll(List.of("-initrd", image.initramfs().toString()));
        command.addAll(List.of("-append", "console=ttyS0 loglevel=5 panic=-1 " + parameters));
        command.addAll(List.of("-serial", "file:" + console, "-serial", "stdio"));
        command.addAll(List.of("-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="));
        for (int i = 0; i < drives.size(); i++) {
            String name = "disk" + i;
            command.addAll(List.of("-blockdev", drives.get(i) + ",node-name=" + name));
            command.addAll(List.of("-device", "virtio-blk-pci,drive=" + name));
        }
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(shell.toFile())
                .start();
        return new Guest(process, shell, console);
    }

    /** Runs a script to its end; fails unless it ends well. Like {@code set -e}, the first command that fails ends it. */
    String run(String script) throws Exception {
        begin(script);
        return end();
    }

    /** Runs a script to its end, whatever that is. */
    Run tryRun(String script) throws Exception {
        begin(script);
        return tryEnd();
    }

    /** Begins a script; {@link #end} or {@link #tryEnd} belongs to it. */
    void begin(String script) throws IOException {
        process.getOutputStream().write(("set -e\n" + script.strip() + "\n--\n").getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
    }

    /** Waits until the script that was begun has printed this. */
    void await(String words) throws Exception {
        await("\"" + words + "\"", () -> heard().contains(words));
    }

    /** Waits for the script that was begun; fails unless it ends well. */
    String end() throws Exception {
        Run run = tryEnd();
        assertThat(run.exitCode()).as("%s", state()).isZero();
        return run.output();
    }

    Run tryEnd() throws Exception {
        int from = dealtWith;
        String status = awaitReply();
        String output = said().substring(from, dealtWith);
        return new Run(Integer.parseInt(status), output.substring(0, output.length() - status.length() - 4));
    }

    private String awaitReply() throws Exception {
        await("a reply", () -> reply().find(dealtWith));
        Matcher reply = reply();
        assertThat(reply.find(dealtWith)).isTrue();
        dealtWith = reply.end();
        return reply.group(1);
    }

    private Matcher reply() throws IOException {
        return REPLY.matcher(said());
    }

    private void await(String what, Waiting.Condition condition) throws Exception {
        boolean came;
        try {
            came = Waiting.until(LIMIT, () -> condition.holds() || !process.isAlive()) && condition.holds();
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted while waiting for " + what + "\n" + state(), e);
        }
        assertThat(came).as("%s comes%n%s", what, state()).isTrue();
    }

    /** What the script that was begun has printed until now. */
    String heard() throws IOException {
        return said().substring(dealtWith);
    }

    /** All that came from the shell since the machine was started. */
    String said() throws IOException {
        return Files.readString(shell, StandardCharsets.ISO_8859_1);
    }

    private String state() throws IOException {
        String kernel = Files.readString(console, StandardCharsets.ISO_8859_1);
        return said() + "\n-- kernel\n" + kernel.substring(Math.max(0, kernel.length() - CONSOLE_SHOWN_MAX));
    }

    /** Takes the power away. What was said until then stays. */
    void cutPower() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
