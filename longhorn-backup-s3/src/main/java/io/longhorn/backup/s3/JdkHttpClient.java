package io.longhorn.backup.s3;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpFullResponse;
import software.amazon.awssdk.http.SdkHttpRequest;

/**
 * The SDK's requests on the JDK's {@link HttpClient}. The SDK's own client without dependencies stands on {@link java.net.HttpURLConnection}: an interrupt does not end its
 * waiting for a socket, it keeps five connections per server whatever the number of threads, and it repeats requests by itself. This one ends at an interrupt, and when nothing
 * was sent or received for a while, however large a body is.
 */
final class JdkHttpClient implements SdkHttpClient {
    /** The JDK's client sets them by itself, and refuses them from others. */
    private static final Set<String> OWN_HEADERS = Set.of("connection", "content-length", "expect", "host", "upgrade");

    private final ExecutorService threads;
    private final HttpClient client;
    private final Duration silence;

    JdkHttpClient(
            String name,
            Duration connecting,
            Duration silence,
            Optional<SSLContext> trust,
            Optional<ProxyRules> proxies) {
        this.silence = silence;
        threads = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "longhorn-s3-" + name);
            thread.setDaemon(true);
            return thread;
        });
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(connecting)
                .executor(threads);
        trust.ifPresent(builder::sslContext);
        proxies.ifPresent(builder::proxy);
        client = builder.build();
    }

    @Override
    public String clientName() {
        return "Jdk";
    }

    @Override
    public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
        return new Exchange(request);
    }

    /** The JDK's client ends its one thread when it is collected, before JDK 21; ours end here. */
    @Override
    public void close() {
        threads.shutdown();
    }

    /** One request. Whatever its end, nothing reads the body that was given after {@link #call} returned. */
    private final class Exchange implements ExecutableHttpRequest {
        private final HttpExecuteRequest request;
        private final Optional<RequestBody> body;
        private volatile boolean aborted;
        private volatile CompletableFuture<HttpResponse<ResponseBody>> answer = new CompletableFuture<>();

        Exchange(HttpExecuteRequest request) {
            this.request = request;
            body = request.contentStreamProvider().map(RequestBody::new);
        }

        @Override
        public HttpExecuteResponse call() throws IOException {
            HttpRequest sent = httpRequest();
            answer = client.sendAsync(sent, head -> new ResponseBody(silence));
            try {
                if (aborted) {
                    throw new IOException("aborted");
                }
                return response(await());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                InterruptedIOException interrupted = new InterruptedIOException("interrupted");
                interrupted.initCause(e);
                throw interrupted;
            } finally {
                answer.cancel(true);
                body.ifPresent(RequestBody::close);
            }
        }

        private HttpRequest httpRequest() {
            SdkHttpRequest head = request.httpRequest();
            HttpRequest.Builder builder =
                    HttpRequest.newBuilder(head.getUri()).method(head.method().name(), publisher());
            head.forEachHeader((name, values) -> {
                if (!OWN_HEADERS.contains(name.toLowerCase(Locale.ROOT))) {
                    values.forEach(value -> builder.header(name, value));
                }
            });
            return builder.build();
        }

        private BodyPublisher publisher() {
            long length = request.httpRequest()
                    .firstMatchingHeader("Content-Length")
                    .map(Long::parseLong)
                    .orElse(0L);
            if (body.isEmpty() || length == 0) {
                return BodyPublishers.noBody();
            }
            return BodyPublishers.fromPublisher(BodyPublishers.ofInputStream(body.get()::newStream), length);
        }

        private HttpResponse<ResponseBody> await() throws IOException, InterruptedException {
            long sent = 0;
            while (true) {
                try {
                    return answer.get(silence.toNanos(), TimeUnit.NANOSECONDS);
                } catch (TimeoutException e) {
                    long now = body.map(RequestBody::sentBytes).orElse(0L);
                    if (now == sent) {
                        throw new SocketTimeoutException("no answer within " + silence);
                    }
                    sent = now;
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof IOException failure) {
                        throw failure;
                    }
                    throw new IOException(e.getCause());
                }
            }
        }

        private HttpExecuteResponse response(HttpResponse<ResponseBody> answered) {
            SdkHttpFullResponse.Builder head = SdkHttpFullResponse.builder().statusCode(answered.statusCode());
            answered.headers().map().forEach(head::putHeader);
            InputStream content = answered.body();
            return HttpExecuteResponse.builder()
                    .response(head.build())
                    .responseBody(AbortableInputStream.create(content, answered.body()::close))
                    .build();
        }

        @Override
        public void abort() {
            aborted = true;
            answer.cancel(true);
        }
    }
}
