package io.longhorn.frontend.scsi;

import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** An initiator port and what the logical unit has to tell it. Any thread. */
final class Nexus {

    private final InitiatorPort port;

    /** In the order in which they came; as many as there are kinds of them at most. */
    private final Set<SenseCode> attentions = new LinkedHashSet<>();

    /** Whether there are any; spares commands the lock. */
    private volatile boolean attentive;

    private volatile Flight flight = new Flight();

    Nexus(InitiatorPort port) {
        this.port = port;
        attention(SenseCode.POWER_ON_OR_RESET);
    }

    InitiatorPort port() {
        return port;
    }

    /** A unit attention (SAM-5 5.14). A reset takes the place of all others. */
    synchronized void attention(SenseCode code) {
        if (code == SenseCode.POWER_ON_OR_RESET) {
            attentions.clear();
        }
        if (!attentions.contains(SenseCode.POWER_ON_OR_RESET)) {
            attentions.add(code);
        }
        attentive = true;
    }

    boolean isAttentive() {
        return attentive;
    }

    /** The first unit attention, which is told now and so is no longer pending. */
    synchronized Optional<SenseCode> takeAttention() {
        Iterator<SenseCode> first = attentions.iterator();
        if (!first.hasNext()) {
            return Optional.empty();
        }
        SenseCode code = first.next();
        first.remove();
        attentive = !attentions.isEmpty();
        return Optional.of(code);
    }

    /** The flight that a command which begins now belongs to; it leaves it when it ends. */
    Flight board() {
        Flight now;
        do {
            now = flight;
        } while (!now.board());
        return now;
    }

    /** Complete when all commands that began before have ended. */
    synchronized CompletableFuture<Void> settled() {
        Flight before = flight;
        flight = new Flight();
        return before.close();
    }
}
