package io.longhorn.backup.nfs;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** Keeps some calls of one thread under way in one session. Not safe for several threads. */
final class Pipeline implements AutoCloseable {
    /** More bring nothing on a fast network, and each may hold a piece of data. */
    private static final int DEPTH = 4;

    /** Takes the answer to a call. */
    @FunctionalInterface
    interface Taker {
        void take(CompoundReply reply) throws IOException;
    }

    private record Flight(NfsCall call, Taker taker) {}

    private final NfsClient client;
    private final NfsSession session;
    private final Deque<Flight> flights = new ArrayDeque<>();

    Pipeline(NfsClient client, NfsSession session) {
        this.client = client;
        this.session = session;
    }

    /** Begins a call, after the answers of older ones have been taken if there are too many. */
    void add(Compound compound, Taker taker) throws IOException {
        if (flights.size() == DEPTH) {
            land();
        }
        // Whoever holds slots must not wait for another: all might.
        Optional<NfsCall> call = client.tryStart(session, compound);
        while (call.isEmpty() && !flights.isEmpty()) {
            land();
            call = client.tryStart(session, compound);
        }
        flights.add(new Flight(call.isPresent() ? call.get() : client.start(session, compound), taker));
    }

    /** Takes the answers of all calls. */
    void finish() throws IOException {
        while (!flights.isEmpty()) {
            land();
        }
    }

    private void land() throws IOException {
        Flight flight = flights.remove();
        flight.taker.take(flight.call.await());
    }

    /** Gives up what is still under way. */
    @Override
    public void close() {
        flights.forEach(flight -> flight.call.cancel());
        flights.clear();
    }
}
