package io.longhorn.app;

import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which daemon a command talks to: by its own options, those before the command, or the environment, in this order. */
public final class DaemonAccess {

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec spec;

    @Mixin
    private ApiOptions own = new ApiOptions();

    private final Map<String, String> environment = System.getenv();

    /** For picocli. */
    public DaemonAccess() {}

    /** The daemon that was named; without one the command cannot do anything. */
    public DaemonClient client() {
        return find().orElseThrow(() -> new ParameterException(
                Objects.requireNonNull(spec).commandLine(), "name the daemon with --api URL or in LONGHORN_API"));
    }

    /** The daemon if one was named. */
    public Optional<DaemonClient> find() {
        return value(options -> options.url, "LONGHORN_API", text -> text).map(this::connect);
    }

    private DaemonClient connect(String url) {
        URI uri = uri(url);
        return new DaemonClient(uri, token(), uri.getScheme().equals("https") ? tls() : Optional.empty());
    }

    private URI uri(String url) {
        try {
            URI uri = URI.create(url.contains("://") ? url : "http://" + url);
            if (uri.getHost() != null
                    && (uri.getScheme().equals("http") || uri.getScheme().equals("https"))
                    && (uri.getRawPath().isEmpty() || uri.getRawPath().equals("/"))
                    && uri.getRawQuery() == null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            throw noApi(url, e);
        }
        throw noApi(url, null);
    }

    private ParameterException noApi(String url, @Nullable Throwable cause) {
        return new ParameterException(
                Objects.requireNonNull(spec).commandLine(),
                "an API is http://HOST:PORT or https://HOST:PORT, was \"" + url + "\"",
                cause);
    }

    private Optional<String> token() {
        Optional<Path> file = value(options -> options.tokenFile, "LONGHORN_API_TOKEN_FILE", Path::of);
        if (file.isEmpty()) {
            return Optional.ofNullable(environment.get("LONGHORN_API_TOKEN"));
        }
        try {
            return Optional.of(Files.readString(file.get())
                    .lines()
                    .findFirst()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .orElseThrow(
                            () -> new CommandFailure("token file " + file.get() + " has no token in its first line")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Optional<SSLContext> tls() {
        Optional<Path> authority = value(options -> options.authority, "LONGHORN_API_CA", Path::of);
        Optional<Path> certificate = value(options -> options.certificate, "LONGHORN_API_CERT", Path::of);
        Optional<Path> key = value(options -> options.key, "LONGHORN_API_KEY", Path::of);
        if (authority.isEmpty() && certificate.isEmpty()) {
            return Optional.empty();
        }
        try {
            SslContextBuilder builder = SslContextBuilder.forClient().sslProvider(SslProvider.JDK);
            authority.ifPresent(file -> builder.trustManager(file.toFile()));
            certificate.ifPresent(file -> builder.keyManager(
                    file.toFile(),
                    key.orElseThrow(() -> new CommandFailure("a certificate for the API needs its --api-key"))
                            .toFile()));
            return Optional.of(((JdkSslContext) builder.build()).context());
        } catch (SSLException | IllegalArgumentException e) {
            throw new CommandFailure("TLS cannot be used: " + e.getMessage(), e);
        }
    }

    private <T> Optional<T> value(
            Function<ApiOptions, @Nullable T> option, String variable, Function<String, T> ofVariable) {
        T given = option.apply(own);
        if (given == null && root() instanceof ApiOptions before) {
            given = option.apply(before);
        }
        String text = environment.get(variable);
        if (given == null && text != null && !text.isBlank()) {
            return Optional.of(ofVariable.apply(text));
        }
        return Optional.ofNullable(given);
    }

    private @Nullable Object root() {
        // What this is mixed into may be a mixin itself; its command line is the command's.
        CommandSpec command = Objects.requireNonNull(spec).commandLine().getCommandSpec();
        CommandSpec before = command.root().mixins().get("api");
        return before == null ? null : before.userObject();
    }
}
