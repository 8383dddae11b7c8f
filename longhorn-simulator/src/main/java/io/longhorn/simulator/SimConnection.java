package io.longhorn.simulator;

import io.longhorn.ProtocolException;
import io.longhorn.replica.wire.Connection;
import io.longhorn.replica.wire.FrameBuffer;
import io.longhorn.replica.wire.FrameLayout;
import io.longhorn.replica.wire.FramePool;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * One end of a simulated connection. A frame that was sent stays in the sender's memory until it arrives, and is copied then: a sender that changes it
 * too early is noticed. What arrived waits in the receiver's own buffer for its loop.
 */
public final class SimConnection implements Connection {
    /** Bytes that wait unread at a receiver before the sender's frames stay behind, as with TCP's window. */
    private static final int WINDOW_BYTES = 256 << 10;

    /** How often the news of a peer's end tries a blocked path again. */
    private static final long BLOCKED_NEWS_NANOS = 20_000_000;

    private final SimNetwork network;
    private final SimLoop loop;
    private final String peerName;
    private final int number;
    private @Nullable SimConnection peer;
    private @Nullable Handler handler;

    /** What this end sent and the other has not received. */
    private final ArrayDeque<FrameBuffer> sent = new ArrayDeque<>();

    /** Time of arrival, of departure, frames, bytes of what travels together. */
    private final ArrayDeque<long[]> arrivals = new ArrayDeque<>();

    private boolean arrivalPlanned;
    private boolean arrivalHeld;
    private int queuedBytes;
    private long lastArrival;

    private @Nullable ByteBuffer received;
    private int readAt;
    private int writtenTo;
    private boolean inputPlanned;

    private boolean open = true;
    private boolean closedTold;
    /** Closed here; the last frames are still on their way. */
    private boolean leaving;

    private boolean silent;
    private boolean gone;

    SimConnection(SimNetwork network, SimLoop loop, String peerName) {
        this.network = network;
        this.loop = loop;
        this.peerName = peerName;
        this.number = (int) (network.scheduler().random().nextLong() >>> 40);
        // The process' memory is gone with it, and the kernel tells the peer.
        loop.process().atDeath(this::processDied);
    }

    void join(SimConnection other) {
        peer = other;
        other.peer = this;
    }

    int number() {
        return number;
    }

    SimHost host() {
        return loop.process().host();
    }

    SimHost peerHost() {
        return peer().host();
    }

    private SimConnection peer() {
        SimConnection other = peer;
        if (other == null) {
            throw new IllegalStateException("not joined");
        }
        return other;
    }

    void begin(Handler receiver) {
        handler = receiver;
        if (writtenTo > readAt) {
            planInput();
        }
    }

    // The sending side.

    @Override
    public void send(FrameBuffer frame) {
        if (!loop.inLoop() && loop.process().isAlive()) {
            throw new IllegalStateException("send outside of loop " + loop.name());
        }
        if (!open) {
            frame.release();
            return;
        }
        queuedBytes += frame.length();
        sent.addLast(frame);
        long departure = network.scheduler().now() + loop.busyNanos();
        long[] last = arrivals.peekLast();
        if (last != null
                && last[1] == departure
                && last[3] + frame.length() <= WINDOW_BYTES
                && network.scheduler().random().below(8) != 0) {
            // Sent in the same turn: one packet, mostly.
            last[2]++;
            last[3] += frame.length();
            return;
        }
        lastArrival = Math.max(lastArrival, departure + network.delay());
        arrivals.addLast(new long[] {lastArrival, departure, 1, frame.length()});
        planArrival();
    }

    @Override
    public int queuedBytes() {
        return queuedBytes;
    }

    private void planArrival() {
        long[] next = arrivals.peekFirst();
        if (next != null && !arrivalPlanned && !arrivalHeld) {
            arrivalPlanned = true;
            network.scheduler().at(next[0], this::arrive);
        }
    }

    /** Frames that were held back by a blocked path or a full receiver go on. */
    void resumeArrivals() {
        if (arrivalHeld) {
            arrivalHeld = false;
            planArrival();
        }
    }

    private void arrive() {
        arrivalPlanned = false;
        long[] next = arrivals.peekFirst();
        if (next == null || gone) {
            return;
        }
        SimConnection to = peer();
        if (to.silent || silent || network.isBlocked(host(), to.host()) || to.unread() > WINDOW_BYTES) {
            arrivalHeld = true;
            return;
        }
        if (to.gone) {
            // A host that does not know the connection (any more) resets it; one that is down says nothing.
            if (to.host().isUp()) {
                network.scheduler().after(network.delay(), () -> cutHere("reset by peer"));
            } else {
                arrivalHeld = true;
                to.host().atNextBoot(this::resumeArrivals);
            }
            return;
        }
        arrivals.pollFirst();
        for (long i = 0; i < next[2]; i++) {
            FrameBuffer frame = sent.removeFirst();
            queuedBytes -= frame.length();
            to.take(frame, loop.process());
            frame.release();
        }
        planArrival();
    }

    private int unread() {
        return writtenTo - readAt;
    }

    // The receiving side.

    private void take(FrameBuffer frame, SimProcess from) {
        int length = frame.length();
        ByteBuffer target = room(length);
        target.put(writtenTo, frame.bytes(), 0, length);
        long flip = network.flip(length * 8L);
        if (flip >= 0) {
            int at = writtenTo + (int) (flip >>> 3);
            target.put(at, (byte) (target.get(at) ^ 1 << (flip & 7)));
        } else {
            network.tap().frame(from, loop.process(), target, writtenTo, length);
        }
        writtenTo += length;
        planInput();
    }

    private ByteBuffer room(int length) {
        ByteBuffer present = received;
        if (present == null) {
            present = network.memory().takeReceiveBuffer(length);
        } else if (writtenTo + length > present.capacity()) {
            int unread = unread();
            ByteBuffer before = present;
            boolean fitsBehind = readAt > 0 && unread + length <= present.capacity();
            ByteBuffer target = fitsBehind ? before : network.memory().takeReceiveBuffer(SimMemory.RECEIVE_BYTES);
            // Overlapping moves within one buffer are safe downwards.
            target.put(0, before, readAt, unread);
            if (!fitsBehind) {
                network.memory().giveBack(before);
            }
            present = target;
            readAt = 0;
            writtenTo = unread;
        }
        received = present;
        return present;
    }

    private void planInput() {
        if (!inputPlanned && handler != null && open) {
            inputPlanned = true;
            loop.input(this::read);
        }
    }

    private void read() {
        inputPlanned = false;
        Handler receiver = handler;
        ByteBuffer buffer = received;
        if (receiver == null || buffer == null || !open) {
            return;
        }
        String failure = deliver(receiver, buffer);
        receiver.onBatchEnd();
        if (gone) {
            return;
        }
        if (failure != null) {
            end(failure);
            return;
        }
        if (readAt == writtenTo) {
            readAt = 0;
            writtenTo = 0;
            if (network.scheduler().random().oneIn(4)) {
                // Whoever keeps borrowed bytes longer than allowed shall find them changed.
                for (int i = 0; i < Math.min(buffer.capacity(), 256); i += 8) {
                    buffer.putLong(i, 0xDEADBEEFDEADBEEFL);
                }
            }
        }
        peer().resumeArrivals();
    }

    private @Nullable String deliver(Handler receiver, ByteBuffer buffer) {
        // Frames that arrive while this batch runs belong to the next one: nothing runs meanwhile in a simulator.
        while (open && writtenTo - readAt >= FrameLayout.HEADER_BYTES) {
            int length;
            try {
                length = FrameLayout.checkStart(buffer, readAt);
            } catch (ProtocolException e) {
                return "cannot be a frame: " + e.getMessage();
            }
            if (writtenTo - readAt < length) {
                break;
            }
            int at = readAt;
            readAt += length;
            receiver.onFrame(buffer, at, length);
        }
        return null;
    }

    // The end.

    @Override
    public void close() {
        end("closed here");
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public FramePool pool() {
        return network.memory().pool();
    }

    @Override
    public String peerName() {
        return peerName;
    }

    /** The connection ends at this end; the other hears of it, as a rule behind what was sent before. */
    private void end(String cause) {
        if (!open) {
            return;
        }
        open = false;
        leaving = true;
        tellClosed(cause);
        SimConnection other = peer();
        if (network.scheduler().random().oneIn(4)) {
            releaseSent();
        }
        long news = Math.max(lastArrival, network.scheduler().now() + loop.busyNanos() + network.delay());
        network.scheduler().at(news, () -> {
            vanish();
            other.peerEnded("closed by peer");
        });
    }

    /** The peer's end reaches this end as soon as the path lets it. */
    private void peerEnded(String cause) {
        if (!open || silent) {
            return;
        }
        if (network.isBlocked(peerHost(), host())) {
            network.scheduler().after(BLOCKED_NEWS_NANOS, () -> peerEnded(cause));
            return;
        }
        if (network.scheduler().random().oneIn(4)) {
            // A reset overtakes what was not read yet.
            open = false;
        }
        loop.input(() -> {
            open = false;
            releaseSent();
            tellClosed(cause);
        });
    }

    private void tellClosed(String cause) {
        if (!closedTold) {
            closedTold = true;
            loop.input(() -> {
                Handler receiver = handler;
                if (receiver != null) {
                    receiver.onClosed(cause);
                }
                if (!leaving) {
                    vanish();
                }
            });
        }
    }

    /** Cuts the connection from outside. {@code silently}: nobody is told; whatever is sent disappears. */
    public void cut(boolean silently) {
        network.scheduler().note(loop.process().name(), "connection cut", number, silently ? 1 : 0);
        SimConnection other = peer();
        if (silently) {
            silent = true;
            other.silent = true;
            return;
        }
        network.scheduler().after(network.delay() * 4, () -> cutHere("reset"));
        network.scheduler().after(network.delay() * 4, () -> other.cutHere("reset"));
    }

    private void cutHere(String cause) {
        if (open) {
            open = false;
            releaseSent();
            tellClosed(cause);
        }
    }

    private void processDied() {
        if (gone) {
            return;
        }
        boolean wasOpen = open;
        open = false;
        SimConnection other = peer;
        vanish();
        if (wasOpen && other != null && host().isUp()) {
            network.scheduler().after(network.delay(), () -> other.peerEnded("reset by peer"));
        }
    }

    private void releaseSent() {
        arrivals.clear();
        queuedBytes = 0;
        for (FrameBuffer frame = sent.pollFirst(); frame != null; frame = sent.pollFirst()) {
            frame.release();
        }
    }

    /** Frees what this end holds. */
    void vanish() {
        if (gone) {
            return;
        }
        gone = true;
        open = false;
        releaseSent();
        ByteBuffer buffer = received;
        if (buffer != null) {
            received = null;
            network.memory().giveBack(buffer);
        }
        network.forget(this);
    }
}
