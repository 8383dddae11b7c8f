package io.longhorn.backup;

import io.longhorn.BackupTarget;

class FolderScenarioTest extends BackupScenarioContract {
    @Override
    protected BackupTarget target() {
        return BackupTarget.at(directory.resolve("target").toUri());
    }
}
