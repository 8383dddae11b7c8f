package io.longhorn.replica.transport;

import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Decides which thread runs a loop at the moment. Waking a thread costs tens of microseconds, as much as a small write to a replica takes, so
 * a blocked caller rather does the loop's work itself than wait for two hand-overs. There are two rights, both held by at most one thread.
 *
 * <p><b>Holding</b> ({@link #holder}) is the right to touch the loop's state. Everything that the loop runs, runs while its thread holds. A thread gets
 * it by compare-and-set from null, and gives it back by setting null, which also makes what it wrote visible to the next.
 *
 * <p><b>Driving</b> is the right to use the selector. The driver holds while it is awake and lets go while it sleeps in the selector. Mostly the loop's own
 * thread drives. Who has not got the right to drive may still hold for a moment, while nobody else does: <i>inline</i> work, which sends
 * something and leaves. {@link #state} tells where the driver is:
 *
 * <pre>
 * AWAKE     there is a driver, and it will look at the queues before it sleeps
 * SLEEPING  the driver is in the selector or about to enter it   --call()-->  CALLED    (selector woken)
 * VACANT    there is no driver                                   --call()-->  SUMMONED  (the loop's thread woken)
 * </pre>
 *
 * Only the driver leaves AWAKE, SLEEPING and CALLED, apart from that one step of {@link #call}. VACANT and SUMMONED are left by a compare-and-set
 * to AWAKE, and who succeeds is the driver.
 *
 * <p><b>Nothing queued is forgotten.</b> Who queues something does so first and then, in {@link #call}, reads {@code holder} and {@code state}. Who lets
 * go writes {@code holder} (the driver writes {@code state} before that) and then looks at the queue once more. All these are volatile, so in
 * their total order one of the two comes first: either the one who lets go sees the task, or the one who queued it sees that nobody holds and in
 * which state the driver is. If somebody holds, nothing more is needed: he looks at the queue after letting go. Awake without holding the driver is
 * only while it waits for an inline holder, and after that it looks too. The same order serves for {@code done} of a leader
 * ({@link #unblock}: first {@code done}, then {@code state}; the leader: first {@code state}, then {@code done}).
 *
 * <p><b>Leading.</b> A caller that must wait for an answer drives if there is no driver, until its answer is there (it <i>leads</i>). When
 * it leaves it sets VACANT, and then, if anything is left to be done soon (others wait, input is expected, tasks are queued, a timer is near),
 * summons the loop's thread. Otherwise it leaves without a system call, and the loop's thread, which <i>stands by</i>, parked, comes back by
 * itself when it finds at two looks in a row, {@link #STAND_BY_NANOS} apart, that nobody drove and nobody has led in between. A waiter counts itself in {@link #blocked}
 * before it looks whether it can drive; the leader sets VACANT before it looks whether somebody waits. So one of them sees the other.
 *
 * <p>While several callers wait at once the loop's thread is the best driver: it wakes each of them, and never has to hand over. So callers lead
 * only after they waited alone a few times ({@link #soloWaits}), and the loop's thread takes over again as soon as a leader leaves while others wait.
 *
 * <p>When a lead outlasts a look, the loop's thread parks without limit ({@link #asleep}), so that a long wait costs no further
 * looks; a leader that leaves reads that flag after setting VACANT, as the thread reads the state after setting the flag.
 *
 * <p><b>Interrupts.</b> A driving caller can be interrupted at any time. {@link Selector#select} then only returns early. Channels in non-blocking mode are
 * not affected: {@link java.nio.channels.InterruptibleChannel} closes a channel only for a thread that is, or would be, blocked in an operation on it.
 * Parking returns early. All these loops take the interrupt away from the thread and give it back when the thread leaves the loop. What
 * is <i>not</i> covered is a {@link java.nio.channels.FileChannel}, which is always in blocking mode: files that a loop uses must not
 * be interruptible ({@code DiskFile} says so).
 */
final class LoopBaton {
    /** How often the loop's thread looks whether leaders have gone; it comes back after at most twice this. */
    static final long STAND_BY_NANOS = 1_000_000L;

    /** Callers that must have waited alone in a row before the loop's thread lets them lead. */
    private static final int SOLO_WAITS_MIN = 2;

    /** Looks of a driver at an inline holder before it parks; inline work takes a few microseconds. */
    private static final int SPINS = 100;

    private static final int AWAKE = 0;
    private static final int SLEEPING = 1;
    private static final int CALLED = 2;
    private static final int VACANT = 3;
    private static final int SUMMONED = 4;

    private final Selector selector;
    private final Thread loopThread;
    private final AtomicReference<@Nullable Thread> holder = new AtomicReference<>();
    private final AtomicInteger state;
    /** The driver, while it is parked until an inline holder leaves. */
    private volatile @Nullable Thread driverWaits;

    private volatile @Nullable Thread leader;
    /** Counts leads; written by drivers. */
    private final AtomicInteger leads = new AtomicInteger();
    /** The loop's thread stands by without a time limit. */
    private volatile boolean asleep;

    private volatile boolean ended;

    /** Callers that wait, the leader included. */
    private final AtomicInteger blocked = new AtomicInteger();
    /** Callers in a row that found nobody else waiting. Only a hint, so lost updates do not matter. */
    private volatile int soloWaits;
    /** Waiting callers that are parked or about to be. Guarded by itself; whoever takes it is about to sleep. */
    private final List<Thread> parked = new ArrayList<>();

    /** {@code loopThread} drives from the start, and holds once it has called {@link #hold}. */
    LoopBaton(Selector selector, Thread loopThread) {
        this.selector = selector;
        this.loopThread = loopThread;
        state = new AtomicInteger(AWAKE);
    }

    boolean isHeldHere() {
        return holder.get() == Thread.currentThread();
    }

    /** Holds if nobody does, and the driver does not wait for it. */
    boolean tryHold() {
        return driverWaits == null && holder.get() == null && holder.compareAndSet(null, Thread.currentThread());
    }

    /**
     * Waits for an inline holder to leave, then holds. Driver only.
     *
     * @return whether the thread was interrupted meanwhile
     */
    boolean hold() {
        Thread me = Thread.currentThread();
        for (int i = 0; i < SPINS; i++) {
            if (holder.compareAndSet(null, me)) {
                return false;
            }
            Thread.onSpinWait();
        }
        boolean interrupted = false;
        driverWaits = me;
        while (!holder.compareAndSet(null, me)) {
            LockSupport.park(this);
            interrupted |= Thread.interrupted();
        }
        driverWaits = null;
        return interrupted;
    }

    /** Ends holding, for now or for good, of a thread that does not drive any more. The caller looks at the queue afterwards. */
    void letGo() {
        holder.set(null);
        Thread waiting = driverWaits;
        if (waiting != null) {
            LockSupport.unpark(waiting);
        }
    }

    /** Before the driver enters the selector. It looks at the queue once more between this and that. */
    void fallAsleep() {
        state.set(SLEEPING);
        holder.set(null);
    }

    /** After the selector. Calls are not needed from here on; {@link #hold} follows. */
    void wakeUp() {
        state.set(AWAKE);
    }

    /** Gives up driving and holding. The caller looks afterwards whether somebody should drive at once. */
    void vacate() {
        state.set(VACANT);
        // Somebody may have become the driver since, and be waiting to hold.
        letGo();
        if (asleep) {
            LockSupport.unpark(loopThread);
        }
    }

    /** Becomes the driver if there is none; {@link #hold} follows, unless the caller holds already. */
    boolean tryDrive() {
        int now = state.get();
        return (now == VACANT || now == SUMMONED) && state.compareAndSet(now, AWAKE);
    }

    /** Something was queued, or changed, that a driver must see. Any thread. */
    void call() {
        if (holder.get() == null) {
            callDriver();
        }
    }

    /** Like {@link #call} when the caller knows that nobody needs to look after him. */
    void callDriver() {
        int now = state.get();
        if (now == SLEEPING) {
            if (state.compareAndSet(SLEEPING, CALLED)) {
                selector.wakeup();
            }
        } else if (now == VACANT) {
            summon();
        }
    }

    /** Has the loop's thread take over if nobody drives. */
    void summon() {
        if (state.compareAndSet(VACANT, SUMMONED)) {
            LockSupport.unpark(loopThread);
        }
    }

    void leadBegins() {
        leader = Thread.currentThread();
        leads.incrementAndGet();
    }

    void leadEnds() {
        leader = null;
    }

    /** What {@code waiter} waits for has happened. Any thread. */
    void unblock(Thread waiter) {
        if (waiter == Thread.currentThread()) {
            return;
        }
        if (waiter == leader) {
            callDriver();
        }
        LockSupport.unpark(waiter);
    }

    /** The caller begins to wait. */
    void arrive() {
        boolean alone = blocked.incrementAndGet() == 1;
        soloWaits = alone ? Math.min(soloWaits + 1, SOLO_WAITS_MIN) : 0;
    }

    void depart() {
        blocked.decrementAndGet();
    }

    /** Callers that wait, the present one included. */
    int blocked() {
        return blocked.get();
    }

    /** Whether callers have lately been waiting one at a time, so that the next should lead. */
    boolean leaderWanted() {
        return soloWaits >= SOLO_WAITS_MIN && blocked.get() <= 1;
    }

    /**
     * Waits until somebody calls {@link #unblock}, or the deadline; with {@code mayDrive} also until there is no driver, else makes sure that there
     * is one. May return for no reason.
     */
    void park(long nanos, boolean mayDrive) {
        Thread me = Thread.currentThread();
        synchronized (parked) {
            parked.add(me);
        }
        if (!mayDrive) {
            summon();
        }
        int now = state.get();
        if (!ended && (!mayDrive || (now != VACANT && now != SUMMONED))) {
            LockSupport.parkNanos(this, nanos);
        }
        synchronized (parked) {
            parked.remove(me);
        }
    }

    /** Nobody will drive any more; who waits finds out why. */
    void end() {
        ended = true;
        unparkAll();
    }

    private void unparkAll() {
        synchronized (parked) {
            parked.forEach(LockSupport::unpark);
        }
    }

    /** The loop's thread, after {@link #vacate}: lets others lead, and returns as the driver when they do not. {@link #hold} follows. */
    void standBy() {
        // If somebody waits already, it is the one who shall lead.
        unparkAll();
        while (true) {
            int seen = leads.get();
            if (state.get() != SUMMONED) {
                LockSupport.parkNanos(this, STAND_BY_NANOS);
            }
            // Nobody has a reason to interrupt this thread; a set flag would only keep it from sleeping.
            boolean ignored = Thread.interrupted();
            int now = state.get();
            boolean abandoned = now == VACANT && leads.get() == seen;
            if ((now == SUMMONED || abandoned) && state.compareAndSet(now, AWAKE)) {
                soloWaits = 0;
                return;
            }
            if (leads.get() == seen && now != VACANT) {
                sleepThroughLead();
            }
        }
    }

    private void sleepThroughLead() {
        asleep = true;
        int now = state.get();
        if (now != VACANT && now != SUMMONED) {
            LockSupport.park(this);
        }
        asleep = false;
    }
}
