package io.longhorn.backup;

import io.longhorn.BackupKeys;
import java.util.Random;

/** Objects that are sealed on their way keep the contract as well. */
class EncryptedStoreTest extends ObjectStoreContract {
    @Override
    protected ObjectStore open() {
        TurnedTime time = new TurnedTime();
        MemoryStore objects = new MemoryStore(time);
        BackupKeys keys = BackupKeys.of("key-1", new byte[BackupKeys.KEY_BYTES]);
        Random random = new Random(1);
        return new EncryptedStore(objects, new StoreEncryption(objects, keys, time, random), random);
    }
}
