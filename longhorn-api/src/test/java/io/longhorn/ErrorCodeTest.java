package io.longhorn;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class ErrorCodeTest {

    /** The file is only ever added to: a line that changes or goes breaks engines and replicas of other versions. */
    @Test
    void numbersAreThoseOnRecord() throws IOException {
        List<String> now = Arrays.stream(ErrorCode.values())
                .map(code -> code.number() + " " + code.name())
                .toList();

        assertThat(now).containsAll(recorded());
        assertThat(recorded()).as("error-codes.txt lists every code").containsAll(now);
    }

    @Test
    void numbersAreUniqueAndFit16Bits() {
        assertThat(Arrays.stream(ErrorCode.values()).map(ErrorCode::number))
                .doesNotHaveDuplicates()
                .allMatch(number -> number > 0 && number < 65536);
    }

    @ParameterizedTest
    @EnumSource
    void everyCodeIsFoundByItsNumber(ErrorCode code) {
        assertThat(ErrorCode.of(code.number())).contains(code);
    }

    @Test
    void numbersOfNewerVersionsAreEmptyNotAnError() {
        assertThat(ErrorCode.of(0)).isEmpty();
        assertThat(ErrorCode.of(59_999)).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("exceptions")
    void everyExceptionIsInTheGroupOfItsBranch(LonghornException exception) {
        int group = exception.code() / 1000;

        if (exception instanceof VolumeException) {
            assertThat(group).isEqualTo(1);
        } else if (exception instanceof ReplicaException) {
            assertThat(group).isEqualTo(2);
        } else {
            assertThat(exception).isInstanceOf(BackupException.class);
            assertThat(group).isEqualTo(3);
        }
        assertThat(exception.remedy()).isEqualTo(exception.errorCode().remedy());
    }

    @ParameterizedTest
    @MethodSource("exceptions")
    void everyExceptionNamesWhatItConcerns(LonghornException exception) {
        assertThat(exception.getMessage()).containsAnyOf("orders", "longhorn-", "server", "disk", "bak://", "2cd7");
    }

    @ParameterizedTest
    @MethodSource("exceptions")
    void everyExceptionCanBeSerialized(LonghornException exception) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(exception);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            LonghornException copy = (LonghornException) in.readObject();
            assertThat(copy).hasSameClassAs(exception).hasMessage(exception.getMessage());
            assertThat(copy.errorCode()).isEqualTo(exception.errorCode());
        }
    }

    @Test
    void everyExceptionHasACodeOfItsOwn() {
        assertThat(exceptions().map(LonghornException::errorCode)).doesNotHaveDuplicates();
    }

    @Test
    void causesAreKept() {
        IOException cause = new IOException("no route");

        assertThat(new ReplicaUnreachableException("server:1", "no route", cause))
                .hasCause(cause);
        assertThat(new ReplicaUnreachableException("server:1", "no route")).hasNoCause();
    }

    @Test
    void fieldsSayWhatMessagesSay() {
        TooFewReplicasException tooFew = new TooFewReplicasException("orders", 3, 2);
        DamagedBlockException damaged = new DamagedBlockException("orders", 17);
        DiskLockedException locked = new DiskLockedException(Path.of("disk"));

        assertThat(tooFew.required()).isEqualTo(3);
        assertThat(tooFew.found()).isEqualTo(2);
        assertThat(tooFew).hasMessageContaining("needs 3").hasMessageContaining("2 can be reached");
        assertThat(damaged.block()).isEqualTo(17);
        assertThat(damaged).hasMessageContaining("offset 69632");
        assertThat(locked.directory()).isEqualTo(Path.of("disk"));
    }

    static Stream<LonghornException> exceptions() {
        UUID id = UUID.fromString("2cd7a5f2-0000-4000-8000-000000000000");
        Path path = Path.of("disk", "file");
        return Stream.of(
                new VolumeNotFoundException("orders"),
                new VolumeExistsException("orders"),
                new VolumeInUseException("orders", "this process"),
                new VolumeClosedException("orders"),
                new FencedException("orders", 1, 2),
                new ReadOnlyVolumeException("orders", "write"),
                new TooFewReplicasException("orders", 3, 2),
                new TimeLimitException("orders", "write", Duration.ofSeconds(1)),
                new QueueFullException("orders", 256),
                new UnflushedWritesLostException("orders"),
                new VolumeFaultedException("orders", "no replica is left"),
                new SalvageNeededException("orders", "two replicas are missing"),
                new SalvageRefusedException("orders", "it is not needed"),
                new VolumeLostException("orders", "all disks are empty"),
                new VolumeIncompleteException("orders", "backup-1"),
                new DamagedBlockException("orders", 1),
                new SnapshotNotFoundException("orders", "before"),
                new SnapshotExistsException("orders", "before"),
                new SnapshotLimitException("orders", 250),
                new TransferException(path, "cannot be read"),
                new RegistryUnavailableException("disk", "it is gone"),
                new EngineMissingException(),
                new ReplicaUnreachableException("server:1", "no route"),
                new ReplicaNotFoundException(id, "orders"),
                new WrongClusterException("server:1", id, id),
                new DiskFullException("disk", 2, 1),
                new DiskLockedException(path),
                new DiskFailedException(path, "sync"),
                new DiskReadOnlyException(path),
                new MissingFileException(path),
                new DamagedFileException(path, 4, "wrong checksum"),
                new ForeignFileException(path, "block map"),
                new FileTooOldException(path, 1, 2),
                new FileTooNewException(path, 2, 1),
                new ProtocolException("server:1", "wrong magic"),
                new VersionMismatchException("server:1", 1, 2, 3, 4),
                new AuthenticationFailedException("server:1", "wrong token"),
                new InsecureListenException("server:1"),
                new BackupModuleMissingException(),
                new BackupNotFoundException("bak://", "orders", "backup-1"),
                new BackupTargetException("bak://", "no such bucket"),
                new DamagedBackupException("bak://", "orders", "backup-1", "a/b.blk", "it is missing"),
                new BackupInProgressException("bak://", "orders", "backup-1"),
                new BackupTargetBusyException("bak://", "orders", "lock-1"),
                new BackupExistsException("bak://", "orders", "backup-1"),
                new BackupKeyException("bak://", BackupKeyException.Problem.KEY_WRONG, "key-1", "give another"));
    }

    private static List<String> recorded() throws IOException {
        try (InputStream in = Objects.requireNonNull(ErrorCodeTest.class.getResourceAsStream("error-codes.txt"))) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .toList();
        }
    }
}
