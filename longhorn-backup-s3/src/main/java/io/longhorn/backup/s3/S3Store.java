package io.longhorn.backup.s3;

import io.longhorn.backup.ObjectKey;
import io.longhorn.backup.ObjectStore;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.RetryableException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CommonPrefix;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.S3Error;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * Objects in a bucket. Each is put whole, by one request: what the server has confirmed it keeps, and it shows no half of one. Requests that fail for a while are repeated with
 * pauses, within {@link S3Limits}. The SDK's client is made at the first call. An interrupt ends a call with {@link InterruptedIOException}; whether a write or a deletion happened
 * is open then.
 */
final class S3Store implements ObjectStore {
    private static final String BINARY = "application/octet-stream";

    /** Answers of servers that know no deletion of several objects by one request. */
    private static final Set<Integer> NOT_UNDERSTOOD = Set.of(400, 405, 411, 415, 501);

    /** A deletion of one of several objects may fail for a while, too. */
    private static final Set<String> PASSING = Set.of("InternalError", "ServiceUnavailable", "SlowDown");

    private static final int FAILURES_NAMED = 5;

    private final S3Location location;
    private final S3Access access;
    private final S3Limits limits;
    private final S3Failures failures;
    private @Nullable S3Connection connection;
    private boolean closed;
    private volatile boolean deletesOneByOne;

    S3Store(S3Location location, S3Access access, S3Limits limits) {
        this.location = location;
        this.access = access;
        this.limits = limits;
        failures = new S3Failures(location, access);
    }

    /** A request, or several, to the server. */
    @FunctionalInterface
    private interface Call<T> {
        T on(S3Client client) throws IOException;
    }

    private <T> T call(String action, Call<T> call) throws IOException {
        try {
            return call.on(client());
        } catch (SdkException e) {
            if (e instanceof AbortedException || Thread.currentThread().isInterrupted()) {
                Thread.currentThread().interrupt();
                InterruptedIOException interrupted = new InterruptedIOException("interrupted: " + action);
                interrupted.initCause(e);
                throw interrupted;
            }
            throw failures.of(action, e);
        }
    }

    private synchronized S3Client client() {
        if (closed) {
            throw new IllegalStateException(describe() + " is closed");
        }
        S3Connection open = connection;
        if (open == null) {
            open = S3Connection.open(location, access, limits);
            connection = open;
        }
        return open.client();
    }

    private String stored(String key) {
        return location.prefix() + ObjectKey.check(key);
    }

    private String key(String stored) {
        return stored.substring(location.prefix().length());
    }

    @Override
    public Optional<ByteBuffer> read(String key, int bytesMax) throws IOException {
        String stored = stored(key);
        Received received = call("read " + key, s3 -> {
            try {
                return s3.getObject(
                        request -> request.bucket(location.bucket())
                                .key(stored)
                                .overrideConfiguration(settings -> settings.apiCallTimeout(limits.call(bytesMax))),
                        (head, body) -> Received.of(head, body, bytesMax));
            } catch (NoSuchKeyException e) {
                return Received.NOTHING;
            }
        });
        if (received.sizeBytes() > bytesMax) {
            throw new IOException(key + " at " + describe() + " has " + received.sizeBytes() + " bytes, more than the "
                    + bytesMax + " expected at most");
        }
        return received.content();
    }

    /** An object, or only its size if that is too large. */
    private record Received(long sizeBytes, Optional<ByteBuffer> content) {
        static final Received NOTHING = new Received(0, Optional.empty());

        static Received of(GetObjectResponse head, AbortableInputStream body, int bytesMax) throws IOException {
            Long length = head.contentLength();
            if (length == null) {
                throw new IOException("the answer does not tell its length");
            }
            if (length > bytesMax) {
                body.abort();
                return new Received(length, Optional.empty());
            }
            byte[] bytes = new byte[length.intValue()];
            try {
                int count = body.readNBytes(bytes, 0, bytes.length);
                if (count < bytes.length) {
                    throw new EOFException("the answer ended after " + count + " of " + length + " bytes");
                }
            } catch (IOException e) {
                if (Thread.currentThread().isInterrupted()) {
                    throw e;
                }
                // Once an answer has begun, the SDK repeats a request only if it is told so.
                throw RetryableException.create("the answer broke off", e);
            }
            return new Received(length, Optional.of(ByteBuffer.wrap(bytes)));
        }
    }

    @Override
    public Optional<Entry> find(String key) throws IOException {
        String stored = stored(key);
        return call("find " + key, s3 -> {
            try {
                HeadObjectResponse head = s3.headObject(
                        request -> request.bucket(location.bucket()).key(stored));
                return Optional.of(new Entry(key, head.contentLength(), head.lastModified()));
            } catch (NoSuchKeyException e) {
                return Optional.empty();
            }
        });
    }

    @Override
    public void write(String key, ByteBuffer content) throws IOException {
        String stored = stored(key);
        ByteBuffer bytes = content.duplicate();
        RequestBody body = RequestBody.fromContentProvider(() -> new BufferStream(bytes), bytes.remaining(), BINARY);
        call(
                "write " + key,
                s3 -> s3.putObject(
                        request -> request.bucket(location.bucket())
                                .key(stored)
                                .contentLength((long) bytes.remaining())
                                .overrideConfiguration(
                                        settings -> settings.apiCallTimeout(limits.call(bytes.remaining()))),
                        body));
    }

    @Override
    public void delete(Collection<String> keys) throws IOException {
        List<String> all = List.copyOf(keys);
        all.forEach(ObjectKey::check);
        List<String> failed = new ArrayList<>();
        for (int from = 0; from < all.size(); from += limits.pageObjects()) {
            List<String> some = all.subList(from, Math.min(all.size(), from + limits.pageObjects()));
            if (some.size() == 1 || deletesOneByOne) {
                deleteOneByOne(some);
            } else {
                failed.addAll(deleteTogether(some));
            }
        }
        if (!failed.isEmpty()) {
            throw new IOException(failed.size() + " of " + all.size() + " objects at " + describe()
                    + " cannot be deleted: "
                    + String.join(", ", failed.subList(0, Math.min(failed.size(), FAILURES_NAMED)))
                    + (failed.size() > FAILURES_NAMED ? ", ..." : ""));
        }
    }

    private void deleteOneByOne(List<String> keys) throws IOException {
        for (String key : keys) {
            String stored = stored(key);
            call("delete " + key, s3 -> {
                try {
                    return Optional.of(s3.deleteObject(
                            request -> request.bucket(location.bucket()).key(stored)));
                } catch (NoSuchKeyException e) {
                    return Optional.empty();
                }
            });
        }
    }

    /** Which ones were not deleted, and why. */
    private List<String> deleteTogether(List<String> keys) throws IOException {
        List<ObjectIdentifier> objects = keys.stream()
                .map(key -> ObjectIdentifier.builder().key(stored(key)).build())
                .toList();
        List<S3Error> errors = call("delete " + keys.size() + " objects", s3 -> {
            try {
                return s3.deleteObjects(request -> request.bucket(location.bucket())
                                .delete(deletion -> deletion.objects(objects).quiet(true)))
                        .errors();
            } catch (S3Exception e) {
                if (!NOT_UNDERSTOOD.contains(e.statusCode())) {
                    throw e;
                }
                deleteOneByOne(keys);
                // Only now: the server may have had another reason to refuse.
                deletesOneByOne = true;
                return List.of();
            }
        });
        List<String> again = new ArrayList<>();
        List<String> failed = new ArrayList<>();
        for (S3Error error : errors) {
            if (PASSING.contains(error.code())) {
                again.add(key(error.key()));
            } else if (!"NoSuchKey".equals(error.code())) {
                failed.add(key(error.key()) + " (" + error.code() + ")");
            }
        }
        deleteOneByOne(again);
        return failed;
    }

    @Override
    public void list(String folder, EntrySink sink) throws IOException {
        ListObjectsV2Request.Builder request = listing(folder);
        while (true) {
            ListObjectsV2Response page = page(folder, request);
            for (S3Object object : page.contents()) {
                // Some tools make an empty object for each folder.
                if (!object.key().endsWith("/")) {
                    sink.entry(new Entry(key(object.key()), object.size(), object.lastModified()));
                }
            }
            if (!isTruncated(page)) {
                return;
            }
            request.continuationToken(page.nextContinuationToken());
        }
    }

    @Override
    public List<String> names(String folder) throws IOException {
        ListObjectsV2Request.Builder request = listing(folder).delimiter("/");
        int start = stored(folder).length() + 1;
        List<String> names = new ArrayList<>();
        while (true) {
            ListObjectsV2Response page = page(folder, request);
            for (CommonPrefix below : page.commonPrefixes()) {
                names.add(below.prefix().substring(start));
            }
            for (S3Object object : page.contents()) {
                if (!object.key().endsWith("/")) {
                    names.add(object.key().substring(start));
                }
            }
            if (!isTruncated(page)) {
                Collections.sort(names);
                return names;
            }
            request.continuationToken(page.nextContinuationToken());
        }
    }

    private ListObjectsV2Request.Builder listing(String folder) {
        return ListObjectsV2Request.builder()
                .bucket(location.bucket())
                .prefix(stored(folder) + "/")
                .maxKeys(limits.pageObjects());
    }

    private ListObjectsV2Response page(String folder, ListObjectsV2Request.Builder request) throws IOException {
        return call("list " + folder, s3 -> s3.listObjectsV2(request.build()));
    }

    private static boolean isTruncated(ListObjectsV2Response page) {
        return Boolean.TRUE.equals(page.isTruncated()) && page.nextContinuationToken() != null;
    }

    @Override
    public String describe() {
        return location + access.endpoint().map(endpoint -> " at " + endpoint).orElse("");
    }

    @Override
    public void close() {
        S3Connection open;
        synchronized (this) {
            closed = true;
            open = connection;
            connection = null;
        }
        if (open != null) {
            open.close();
        }
    }
}
