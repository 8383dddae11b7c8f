package io.longhorn.backup.s3;

import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.xml.stream.XMLStreamException;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.profiles.ProfileFile;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.StandardRetryStrategy;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.s3.LegacyMd5Plugin;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** The SDK's client, set up for a bucket, which takes up to two seconds, and what it stands on. */
final class S3Connection implements AutoCloseable {
    /** Where a server does not care; Amazon answers with the right one if it is not this. */
    private static final String REGION = "us-east-1";

    /** Somebody else changes the same object at this moment. */
    private static final Set<String> CONFLICTS = Set.of("ConditionalRequestConflict", "OperationAborted");

    /** Statuses that mean one thing or another, as the document says: no object or no bucket, in use or there already. */
    private static final Set<Integer> WITH_REASON = Set.of(404, 409);

    private final JdkHttpClient http;
    private final S3Client client;

    private S3Connection(JdkHttpClient http, S3Client client) {
        this.http = http;
        this.client = client;
    }

    static S3Connection open(S3Location location, S3Access access, S3Limits limits) {
        Optional<SSLContext> trust = access.authorities().isEmpty()
                ? Optional.empty()
                : Optional.of(TrustedAuthorities.with(access.authorities()));
        JdkHttpClient http =
                new JdkHttpClient(location.bucket(), limits.connecting(), limits.silence(), trust, access.proxies());
        S3ClientBuilder builder = S3Client.builder()
                .httpClient(http)
                .region(Region.of(location.region().orElse(REGION)))
                .credentialsProvider(credentials(access))
                .forcePathStyle(!access.virtualHosted())
                // Bytes as they are: many servers do not understand framing and trailers, and blocks have checksums.
                .serviceConfiguration(s3 -> s3.chunkedEncodingEnabled(false).expectContinueEnabled(false))
                .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                // Deletions in batches must have a checksum, and older servers know only this one.
                .addPlugin(LegacyMd5Plugin.create())
                .overrideConfiguration(settings -> {
                    settings.retryStrategy(retries(limits))
                            .apiCallTimeout(limits.call())
                            .addExecutionInterceptor(new ListAnswers());
                    if (access.keys().isPresent()) {
                        ProfileFile none = ProfileFile.aggregator().build();
                        settings.defaultProfileFileSupplier(() -> none);
                    }
                });
        access.endpoint().ifPresent(builder::endpointOverride);
        return new S3Connection(http, builder.build());
    }

    S3Client client() {
        return client;
    }

    /** The SDK leaves an HTTP client alone that was given to it. */
    @Override
    public void close() {
        client.close();
        http.close();
    }

    private static AwsCredentialsProvider credentials(S3Access access) {
        return access.keys()
                .<AwsCredentialsProvider>map(keys -> StaticCredentialsProvider.create(
                        keys.sessionToken().isPresent()
                                ? AwsSessionCredentials.create(
                                        keys.id(),
                                        keys.secret(),
                                        keys.sessionToken().get())
                                : AwsBasicCredentials.create(keys.id(), keys.secret())))
                .orElseGet(() -> DefaultCredentialsProvider.builder().build());
    }

    /** The circuit breaker is off: many threads that wait for one server to come back would use up its tokens within seconds. */
    private static StandardRetryStrategy retries(S3Limits limits) {
        BackoffStrategy backOff = BackoffStrategy.exponentialDelay(limits.backOff(), limits.backOffMax());
        return AwsRetryStrategy.standardRetryStrategy().toBuilder()
                .maxAttempts(limits.attemptsMax())
                .backoffStrategy(backOff)
                .throttlingBackoffStrategy(backOff)
                .circuitBreakerEnabled(false)
                .retryOnException(S3Connection::isConflict)
                .retryOnException(S3Connection::isHalf)
                .build();
    }

    /**
     * Whether the answer was a document that broke off. The SDK finds no XML in it, or, if it tells of a failure, not of which. An answer to HEAD has no document; that something is
     * missing is known there all the same.
     */
    private static boolean isHalf(Throwable failure) {
        if (failure instanceof S3Exception answer) {
            AwsErrorDetails details = answer.awsErrorDetails();
            return WITH_REASON.contains(answer.statusCode())
                    && !(failure instanceof NoSuchKeyException)
                    && details != null
                    && (details.errorCode() == null || details.errorCode().isEmpty())
                    && details.sdkHttpResponse()
                            .firstMatchingHeader("Content-Type")
                            .filter(type -> type.contains("xml"))
                            .isPresent();
        }
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof XMLStreamException) {
                return true;
            }
        }
        return false;
    }

    private static boolean isConflict(Throwable failure) {
        return failure instanceof S3Exception answer
                && answer.statusCode() == 409
                && answer.awsErrorDetails() != null
                && CONFLICTS.contains(answer.awsErrorDetails().errorCode());
    }
}
