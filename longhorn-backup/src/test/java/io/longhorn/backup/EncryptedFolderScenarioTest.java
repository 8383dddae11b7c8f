package io.longhorn.backup;

import io.longhorn.BackupKeys;
import io.longhorn.BackupTarget;

class EncryptedFolderScenarioTest extends BackupScenarioContract {
    private static final byte[] KEY = new byte[BackupKeys.KEY_BYTES];

    @Override
    protected BackupTarget target() {
        return BackupTarget.at(directory.resolve("target").toUri()).encryptedWith(BackupKeys.of("key-1", KEY));
    }
}
