package io.longhorn.backup.s3;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Through which proxy a server is reached, by the rules that {@code HTTP_PROXY}, {@code HTTPS_PROXY} and {@code NO_PROXY} have everywhere. */
final class ProxyRules extends ProxySelector {

    /** Servers that are reached directly. */
    @FunctionalInterface
    interface Exempt {
        boolean covers(String host, int port);
    }

    private static final int PORT = 80;

    private final Optional<URI> http;
    private final Optional<URI> https;
    private final List<Exempt> exempts;

    ProxyRules(Optional<URI> http, Optional<URI> https, List<Exempt> exempts) {
        this.http = http;
        this.https = https;
        this.exempts = List.copyOf(exempts);
    }

    /**
     * What a {@code NO_PROXY} says: with commas between them {@code *}, hosts, domains that cover all below them, addresses, networks; a port may follow.
     *
     * @throws IllegalArgumentException if one is none of these
     */
    static List<Exempt> exempts(String text) {
        List<Exempt> exempts = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            String one = part.strip().toLowerCase(Locale.ROOT);
            if (one.contains("/")) {
                exempts.add(network(one));
            } else if (!one.isEmpty()) {
                exempts.add(name(one));
            }
        }
        return exempts;
    }

    private static Exempt name(String text) {
        if ("*".equals(text)) {
            return (host, port) -> true;
        }
        // More than one colon: an address of IPv6, without a port.
        int colon = text.indexOf(':') == text.lastIndexOf(':') ? text.indexOf(':') : -1;
        String name = colon < 0 ? text : text.substring(0, colon);
        int ownPort = colon < 0 ? -1 : number(text, text.substring(colon + 1), 65535);
        String domain = name.replaceFirst("^\\*?\\.", "");
        return (host, port) -> (ownPort < 0 || ownPort == port) && (host.equals(domain) || host.endsWith("." + domain));
    }

    private static Exempt network(String text) {
        int slash = text.indexOf('/');
        byte[] network = address(text.substring(0, slash)).orElseThrow(() -> wrong(text));
        int bits = number(text, text.substring(slash + 1), network.length * 8);
        return (host, port) -> address(host)
                .filter(address -> sameBits(network, address, bits))
                .isPresent();
    }

    private static boolean sameBits(byte[] left, byte[] right, int bits) {
        if (left.length != right.length) {
            return false;
        }
        for (int bit = 0; bit < bits; bit++) {
            int mask = 0x80 >>> bit % 8;
            if (((left[bit / 8] ^ right[bit / 8]) & mask) != 0) {
                return false;
            }
        }
        return true;
    }

    /** Empty for a name: nothing is looked up. */
    private static Optional<byte[]> address(String text) {
        if (!text.matches("[0-9.]+|[0-9a-f]*:[0-9a-f:.]*")) {
            return Optional.empty();
        }
        try {
            return Optional.of(InetAddress.getByName(text).getAddress());
        } catch (UnknownHostException e) {
            return Optional.empty();
        }
    }

    private static int number(String text, String digits, int max) {
        if (!digits.matches("[0-9]{1,5}") || Integer.parseInt(digits) > max) {
            throw wrong(text);
        }
        return Integer.parseInt(digits);
    }

    private static IllegalArgumentException wrong(String text) {
        return new IllegalArgumentException(
                "is a list such as localhost,.example.org,10.0.0.0/8,host:9000, but has '" + text + "'");
    }

    @Override
    public List<Proxy> select(URI uri) {
        boolean secure = "https".equalsIgnoreCase(uri.getScheme());
        Optional<URI> proxy = secure ? https : http;
        int port = uri.getPort() >= 0 ? uri.getPort() : secure ? 443 : 80;
        String host = uri.getHost().toLowerCase(Locale.ROOT).replaceAll("[\\[\\]]", "");
        if (proxy.isEmpty() || exempts.stream().anyMatch(exempt -> exempt.covers(host, port))) {
            return List.of(Proxy.NO_PROXY);
        }
        int proxyPort = proxy.get().getPort();
        return List.of(new Proxy(
                Proxy.Type.HTTP,
                InetSocketAddress.createUnresolved(proxy.get().getHost(), proxyPort < 0 ? PORT : proxyPort)));
    }

    @Override
    public void connectFailed(URI uri, SocketAddress address, IOException failure) {
        // The request fails with it.
    }
}
