package io.longhorn.backup;

/** The tests' own store keeps the contract as well. */
class MemoryStoreTest extends ObjectStoreContract {
    @Override
    protected ObjectStore open() {
        return new MemoryStore(new TurnedTime());
    }
}
