package io.longhorn.backup.s3;

import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import javax.net.ssl.SSLException;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** Says what went wrong at a bucket, and what to do. */
record S3Failures(S3Location location, S3Access access) {

    /** @param action what was tried, such as "read a/b" */
    IOException of(String action, SdkException failure) {
        Integer attempts = failure.numAttempts();
        return new IOException(
                "cannot " + action + ": " + reason(failure)
                        + (attempts != null && attempts > 1 ? "; gave up after " + attempts + " attempts" : ""),
                failure);
    }

    private String reason(SdkException failure) {
        return failure instanceof S3Exception answer ? refusal(answer) : unreached(failure);
    }

    private String refusal(S3Exception answer) {
        String code = code(answer);
        return switch (code) {
            case "NoSuchBucket" ->
                "there is no bucket " + location.bucket() + " at " + server() + "; create it, or correct the target";
            case "InvalidAccessKeyId" -> server() + " does not know the key; correct AWS_ACCESS_KEY_ID";
            case "SignatureDoesNotMatch" -> server() + " finds the signature wrong; correct AWS_SECRET_ACCESS_KEY";
            case "ExpiredToken", "InvalidToken", "TokenRefreshRequired" ->
                server() + " does not accept the session token; renew the keys and AWS_SESSION_TOKEN";
            case "RequestTimeTooSkewed" ->
                "the clock of this machine differs from that of " + server() + "; set it right";
            case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException" ->
                wrongRegion(answer);
            default -> refusal(answer, code);
        };
    }

    private String refusal(S3Exception answer, String code) {
        return switch (answer.statusCode()) {
            case 301 -> wrongRegion(answer);
            case 401, 403 ->
                server() + " denies access; correct the keys, or permit them to list the bucket " + location.bucket()
                        + " and to get, put and delete its objects";
            default ->
                server() + " answers " + answer.statusCode() + (code.isEmpty() ? "" : " " + code)
                        + details(answer)
                                .map(AwsErrorDetails::errorMessage)
                                .map(text -> ": " + text)
                                .orElse("");
        };
    }

    private String wrongRegion(S3Exception answer) {
        String region = details(answer)
                .map(AwsErrorDetails::sdkHttpResponse)
                .flatMap(head -> head.firstMatchingHeader("x-amz-bucket-region"))
                .orElse("REGION");
        return "the bucket is in another region; write s3://" + location.bucket() + "@" + region + "/";
    }

    private String unreached(SdkException failure) {
        if (failure instanceof ApiCallTimeoutException) {
            return "no success at " + server() + " within the time limit; try again later";
        }
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SSLException) {
                return "no TLS with " + server() + " (" + cause.getMessage()
                        + "); if its certificate is by an authority of your own, put that into AWS_CERT";
            }
            if (cause instanceof UnknownHostException || cause instanceof UnresolvedAddressException) {
                return "the name of " + server() + " cannot be resolved; correct "
                        + (access.endpoint().isPresent() ? "AWS_ENDPOINTS" : "the region");
            }
            if (cause instanceof ConnectException || cause instanceof HttpTimeoutException) {
                return "cannot connect to " + server() + "; see whether it runs, and is what "
                        + (access.endpoint().isPresent() ? "AWS_ENDPOINTS" : "the region") + " and the proxy say";
            }
            if (cause instanceof SocketTimeoutException) {
                return server() + " does not answer in time (" + cause.getMessage() + ")";
            }
        }
        String message = String.valueOf(failure.getMessage());
        if (message.toLowerCase(Locale.ROOT).contains("unable to load credentials")) {
            return "no credentials; give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or one of the places where"
                    + " Amazon's SDK looks";
        }
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return "the connection to " + server() + " failed ("
                + Objects.requireNonNullElse(root.getMessage(), root.getClass().getSimpleName()) + ")";
    }

    private String server() {
        return access.endpoint().map(Object::toString).orElse("Amazon S3");
    }

    private static String code(S3Exception answer) {
        return details(answer).map(AwsErrorDetails::errorCode).orElse("");
    }

    /** There are none in an answer without a body, such as one to HEAD. */
    private static Optional<AwsErrorDetails> details(S3Exception answer) {
        return Optional.ofNullable(answer.awsErrorDetails());
    }
}
