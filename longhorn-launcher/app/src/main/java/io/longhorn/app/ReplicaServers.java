package io.longhorn.app;

import io.longhorn.HostPort;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Some replica servers on loopback, each a process with one disk, a directory below a common one. A server that was
 * killed can be started again at the same address. Used by one thread, {@link #close()} by any.
 */
public final class ReplicaServers implements AutoCloseable {

    private static final String LOOPBACK = "127.0.0.1";

    private final Path parent;
    private final List<ReplicaProcess> processes = new ArrayList<>();
    private boolean closed;

    private ReplicaServers(Path parent) {
        this.parent = parent;
    }

    /** Starts servers 0 to count - 1 with empty disks, on any free ports. */
    public static ReplicaServers start(Path parent, int count) throws IOException, InterruptedException {
        ReplicaServers servers = new ReplicaServers(parent);
        try {
            for (int server = 0; server < count; server++) {
                Files.createDirectory(servers.disk(server));
                servers.add(servers.launch(server, new HostPort(LOOPBACK, 0)));
            }
            return servers;
        } catch (Throwable e) {
            servers.close();
            throw e;
        }
    }

    int count() {
        return processes.size();
    }

    Path disk(int server) {
        return parent.resolve("disk-" + (server + 1));
    }

    public String address(int server) {
        return process(server).address().toString();
    }

    public List<HostPort> addresses() {
        return processes.stream().map(ReplicaProcess::address).toList();
    }

    public long pid(int server) {
        return process(server).pid();
    }

    public List<Long> pids() {
        return processes.stream().map(ReplicaProcess::pid).toList();
    }

    /** SIGKILL. */
    public void kill(int server) throws InterruptedException {
        process(server).kill();
    }

    /** SIGTERM, and waits for its clean end. */
    public void stop(int server) throws InterruptedException {
        process(server).stop();
    }

    /** SIGSTOP: the server does nothing until {@link #resume}, and its connections stay. */
    public void suspend(int server) throws InterruptedException {
        process(server).signal("STOP");
    }

    /** SIGCONT. */
    public void resume(int server) throws InterruptedException {
        process(server).signal("CONT");
    }

    /** Starts a server that was killed or stopped, at the same address, with what its disk holds. */
    public void restart(int server) throws InterruptedException {
        replace(server, launch(server, process(server).address()));
    }

    /** Deletes all that is on the disk of a server that was killed. */
    void eraseDisk(int server) throws IOException {
        ScratchDirectory.delete(disk(server));
        Files.createDirectory(disk(server));
    }

    /** How many replicas were deleted whose space the servers have not given back yet. */
    public int deletedLeft() throws IOException {
        int left = 0;
        for (int server = 0; server < count(); server++) {
            try (DirectoryStream<Path> replicas =
                    Files.newDirectoryStream(disk(server).resolve("replicas"))) {
                for (Path replica : replicas) {
                    left += Files.exists(replica.resolve("replica.meta")) ? 0 : 1;
                }
            }
        }
        return left;
    }

    /** SIGTERM to all, and waits for their clean end. */
    void stop() throws InterruptedException {
        for (ReplicaProcess process : processes) {
            process.stop();
        }
    }

    /** Kills what still runs. */
    @Override
    public synchronized void close() {
        closed = true;
        processes.forEach(ReplicaProcess::close);
    }

    private ReplicaProcess launch(int server, HostPort listen) throws InterruptedException {
        return ReplicaProcess.start(List.of(disk(server)), listen, parent.resolve("server-" + (server + 1) + ".log"));
    }

    private synchronized ReplicaProcess process(int server) {
        return processes.get(server);
    }

    private synchronized void add(ReplicaProcess process) {
        processes.add(process);
        closeLate(process);
    }

    private synchronized void replace(int server, ReplicaProcess process) {
        processes.set(server, process);
        closeLate(process);
    }

    /** A signal may have closed us while the process was being started. */
    private void closeLate(ReplicaProcess process) {
        if (closed) {
            process.close();
        }
    }
}
