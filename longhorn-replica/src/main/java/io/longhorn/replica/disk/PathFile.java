package io.longhorn.replica.disk;

import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file of a {@link PathDirectory}. Reads and writes run on a channel that an interrupted caller closes under everyone's hands; whoever
 * notices opens the file again and repeats, which positional reads and writes allow. Syncs run on a channel of their own that only
 * {@link DiskThread}s enter: it is never closed that way, so the operating system reports to it every failed write since the last sync.
 */
final class PathFile implements DiskFile {
    private static final Logger LOG = LoggerFactory.getLogger(PathFile.class);
    /** Interruptions during one call that are survived; each closes the channel once. */
    private static final int ATTEMPTS_MAX = 1000;

    private static final Set<OpenOption> READABLE = Set.of(StandardOpenOption.READ);
    private static final Set<OpenOption> WRITABLE = Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE);

    /** Written with one call: more at once is no faster, and on recent Linux kernels ten times slower. */
    private static final int ZEROES_BYTES = 128 << 10;

    private static final ByteBuffer ZEROES =
            ByteBuffer.allocateDirect(ZEROES_BYTES).asReadOnlyBuffer();

    /** The JDK's option for it, which is not of the language's standard: newer compilers refuse its name. */
    private static final Optional<OpenOption> PAST_CACHE = pastCacheOption();

    private final Consumer<PathFile> onClose;
    /** Identity of the file in its file system; null where there is none. Guards against another file under the same name. */
    private final @Nullable Object key;

    /** The whole file in memory, for copying from it without a copy here; made at the first one. */
    private volatile @Nullable MappedByteBuffer mapping;
    /** A view of the mapping that nobody uses at the moment, so that not every copy makes one. */
    private final AtomicReference<@Nullable ByteBuffer> spareView = new AtomicReference<>();

    private volatile FileChannel channel;
    /** Guarded by this, as the rest below. */
    private Path path;

    private @Nullable FileChannel syncChannel;
    /** For writes past the cache, from the first one on. */
    private @Nullable FileChannel directChannel;

    private boolean directRefused;
    /** How it is opened again after an interrupt closed it. */
    private final Set<OpenOption> mode;

    private int descriptor = -1;
    private boolean closed;

    private PathFile(Path path, Set<OpenOption> mode, FileChannel channel, Consumer<PathFile> onClose)
            throws IOException {
        this.path = path;
        this.mode = mode;
        this.channel = channel;
        this.onClose = onClose;
        key = keyOf(path);
    }

    static PathFile create(Path path, Consumer<PathFile> onClose) throws IOException {
        Set<OpenOption> creating = new HashSet<>(WRITABLE);
        creating.add(StandardOpenOption.CREATE_NEW);
        return of(path, WRITABLE, FileChannel.open(path, creating), onClose);
    }

    /** Opens a file that exists. */
    static PathFile open(Path path, boolean writable, Consumer<PathFile> onClose) throws IOException {
        Set<OpenOption> mode = writable ? WRITABLE : READABLE;
        return of(path, mode, FileChannel.open(path, mode), onClose);
    }

    private static PathFile of(Path path, Set<OpenOption> mode, FileChannel channel, Consumer<PathFile> onClose)
            throws IOException {
        try {
            return new PathFile(path, mode, channel, onClose);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static @Nullable Object keyOf(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    }

    @Override
    public void read(long position, ByteBuffer target) throws IOException {
        transfer(false, position, target);
    }

    @Override
    public void write(long position, ByteBuffer source) throws IOException {
        transfer(true, position, source);
    }

    private void transfer(boolean writing, long position, ByteBuffer buffer) throws IOException {
        int start = buffer.position();
        boolean interrupted = Thread.interrupted();
        try {
            for (int attempt = 1; ; attempt++) {
                FileChannel used = channel;
                try {
                    if (writing) {
                        writeFully(used, position, buffer);
                    } else {
                        readFully(used, position, buffer);
                    }
                    return;
                } catch (ClosedChannelException e) {
                    interrupted |= Thread.interrupted();
                    replace(used, e, attempt);
                    buffer.position(start);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void writePastCache(long position, ByteBuffer source) throws IOException {
        int start = source.position();
        FileChannel used = isAligned(position, source) ? directChannel() : null;
        if (used != null) {
            try {
                writeFully(used, position, source);
                return;
            } catch (IOException e) {
                // Whatever it is, the other way meets it too, or can do without.
                LOG.info("no more writing past the cache: file={} cause={}", path, e.toString());
                refuseDirect();
                source.position(start);
            }
        }
        write(position, source);
    }

    private static Optional<OpenOption> pastCacheOption() {
        try {
            for (Object option :
                    Class.forName("com.sun.nio.file.ExtendedOpenOption").getEnumConstants()) {
                if ("DIRECT".equals(option.toString())) {
                    return Optional.of((OpenOption) option);
                }
            }
        } catch (ClassNotFoundException e) {
            LOG.debug("no writing past the cache: this Java has no such option", e);
        }
        return Optional.empty();
    }

    private static boolean isAligned(long position, ByteBuffer source) {
        return source.isDirect()
                && position % ALIGNMENT_BYTES == 0
                && source.remaining() % ALIGNMENT_BYTES == 0
                && source.alignmentOffset(source.position(), ALIGNMENT_BYTES) == 0;
    }

    /** The channel for it; null where the file system refuses one. */
    private synchronized @Nullable FileChannel directChannel() throws IOException {
        requireOpen();
        if (directChannel == null && !directRefused) {
            try {
                Set<OpenOption> options = new HashSet<>(mode);
                options.add(PAST_CACHE.orElseThrow(() -> new UnsupportedOperationException("not on this Java")));
                directChannel = openSame(options);
            } catch (IOException | UnsupportedOperationException e) {
                LOG.debug("no writing past the cache: file={} cause={}", path, e.toString());
                directRefused = true;
            }
        }
        return directChannel;
    }

    private synchronized void refuseDirect() throws IOException {
        directRefused = true;
        FileChannel present = directChannel;
        directChannel = null;
        if (present != null) {
            present.close();
        }
    }

    private static void writeFully(FileChannel channel, long position, ByteBuffer source) throws IOException {
        long at = position;
        while (source.hasRemaining()) {
            at += channel.write(source, at);
        }
    }

    private static void readFully(FileChannel channel, long position, ByteBuffer target) throws IOException {
        long at = position;
        while (target.hasRemaining()) {
            int count = channel.read(target, at);
            if (count < 0) {
                zeroRest(target);
                return;
            }
            at += count;
        }
    }

    private static void zeroRest(ByteBuffer target) {
        while (target.remaining() >= Long.BYTES) {
            target.putLong(0);
        }
        while (target.hasRemaining()) {
            target.put((byte) 0);
        }
    }

    /** A page that the disk cannot read makes the system call fail that writes it elsewhere: nothing here touches the bytes. */
    @Override
    public void copyTo(long position, int length, DiskFile target, long targetPosition) throws IOException {
        ByteBuffer view = spareView.getAndSet(null);
        if (view == null || position + length > view.capacity()) {
            view = viewOfMapping(position + length);
        }
        target.write(targetPosition, view.limit((int) position + length).position((int) position));
        spareView.set(view.clear());
    }

    private ByteBuffer viewOfMapping(long end) throws IOException {
        MappedByteBuffer present = mapping;
        return (present == null || end > present.capacity() ? map(end) : present).duplicate();
    }

    private synchronized MappedByteBuffer map(long end) throws IOException {
        requireOpen();
        long size = sizeBytes();
        if (end > size || size > Integer.MAX_VALUE) {
            throw new EOFException(path + " has " + size + " bytes; copied were to be those before " + end);
        }
        MappedByteBuffer made = onChannel(c -> c.map(FileChannel.MapMode.READ_ONLY, 0, size));
        mapping = made;
        return made;
    }

    /** Opens the file again in place of a channel that an interruption closed; several threads may come here with the same one. */
    @SuppressWarnings("ReferenceEquality")
    private synchronized void replace(FileChannel used, ClosedChannelException cause, int attempt) throws IOException {
        if (closed || attempt >= ATTEMPTS_MAX) {
            throw cause;
        }
        if (channel == used) {
            channel = openSame();
        }
    }

    /** Another channel of this very file. Caller holds the lock. */
    private FileChannel openSame() throws IOException {
        return openSame(mode);
    }

    private FileChannel openSame(Set<OpenOption> options) throws IOException {
        FileChannel another = FileChannel.open(path, options);
        try {
            requireSame(keyOf(path));
            return another;
        } catch (IOException e) {
            another.close();
            throw e;
        }
    }

    private void requireSame(@Nullable Object found) throws NoSuchFileException {
        if (!Objects.equals(key, found)) {
            throw new NoSuchFileException(path.toString(), null, "another file took its place while it was open");
        }
    }

    @Override
    public void sync() throws IOException {
        FileChannel used = syncChannel();
        DiskThread.call(() -> used.force(false));
    }

    private synchronized FileChannel syncChannel() throws IOException {
        requireOpen();
        FileChannel present = syncChannel;
        if (present == null) {
            present = openSame();
            syncChannel = present;
        }
        return present;
    }

    @Override
    public void startWriting(long position, long length) throws IOException {
        Optional<NativeFiles> files = NativeAccess.available();
        if (files.isPresent()) {
            int used;
            synchronized (this) {
                requireOpen();
                used = descriptor(files.get());
            }
            // Waits for the disk's queue, so not under the lock.
            files.get().startWriting(used, position, length);
        }
    }

    @Override
    public synchronized void reserve(long position, long length) throws IOException {
        requireOpen();
        Optional<NativeFiles> files = NativeAccess.available();
        if (files.isPresent()) {
            files.get().reserve(descriptor(files.get()), position, length);
        }
    }

    @Override
    public synchronized boolean punch(long position, long length) throws IOException {
        requireOpen();
        Optional<NativeFiles> files = NativeAccess.available();
        return files.isPresent() && files.get().punch(descriptor(files.get()), position, length);
    }

    @Override
    public synchronized long nextData(long position) throws IOException {
        requireOpen();
        Optional<NativeFiles> files = NativeAccess.available();
        return files.isPresent() ? files.get().nextData(descriptor(files.get()), position) : position;
    }

    @Override
    public synchronized long allocatedBytes() throws IOException {
        requireOpen();
        Optional<NativeFiles> files = NativeAccess.available();
        return files.isPresent() ? files.get().allocatedBytes(descriptor(files.get())) : Files.size(path);
    }

    /** A descriptor for native calls, made at the first one. Caller holds the lock. */
    private int descriptor(NativeFiles files) throws IOException {
        if (descriptor < 0) {
            int opened = files.open(path.toString());
            try {
                // What was opened, whatever its name is by now: punching another file would destroy it.
                requireSame(keyOf(Path.of("/proc/self/fd/" + opened)));
            } catch (IOException e) {
                files.close(opened);
                throw e;
            }
            descriptor = opened;
        }
        return descriptor;
    }

    @Override
    public void preallocate(long position, long length) throws IOException {
        ByteBuffer zeroes = ZEROES.duplicate();
        long end = position + length;
        for (long at = position; at < end; at += ZEROES_BYTES) {
            zeroes.clear().limit((int) Math.min(ZEROES_BYTES, end - at));
            write(at, zeroes);
        }
    }

    @Override
    public long sizeBytes() throws IOException {
        return onChannel(FileChannel::size);
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
        if (sizeBytes() < sizeBytes) {
            lengthen(sizeBytes);
        } else {
            onChannel(c -> c.truncate(sizeBytes).isOpen());
        }
    }

    /** A channel lengthens a file only by writing, which takes space; this does not. */
    private synchronized void lengthen(long sizeBytes) throws IOException {
        requireOpen();
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            requireSame(keyOf(path));
            if (file.length() < sizeBytes) {
                file.setLength(sizeBytes);
            }
        }
    }

    /** {@link #transfer} for the rare calls. */
    private <T> T onChannel(ChannelCall<T> call) throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            for (int attempt = 1; ; attempt++) {
                FileChannel used = channel;
                try {
                    return call.on(used);
                } catch (ClosedChannelException e) {
                    interrupted |= Thread.interrupted();
                    replace(used, e, attempt);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** {@code from} became {@code to}: this file, a directory above it, or a file that this one lost its name to. */
    synchronized void renamed(Path from, Path to) {
        if (path.startsWith(from)) {
            path = path.equals(from) ? to : to.resolve(from.relativize(path));
        }
    }

    private void requireOpen() throws ClosedChannelException {
        if (closed) {
            throw new ClosedChannelException();
        }
    }

    @Override
    public synchronized void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        mapping = null;
        spareView.set(null);
        onClose.accept(this);
        try {
            closeExtras();
        } finally {
            channel.close();
        }
    }

    /** What only some files have. Caller holds the lock. */
    private void closeExtras() throws IOException {
        try {
            if (descriptor >= 0) {
                NativeAccess.available().orElseThrow().close(descriptor);
            }
        } finally {
            try {
                if (syncChannel != null) {
                    syncChannel.close();
                }
            } finally {
                refuseDirect();
            }
        }
    }

    private interface ChannelCall<T> {
        T on(FileChannel channel) throws IOException;
    }
}
