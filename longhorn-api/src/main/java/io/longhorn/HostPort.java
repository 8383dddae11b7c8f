package io.longhorn;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * The address of a replica server as text: {@code 10.0.0.1:9500}, {@code storage-1.example:9500}, {@code [fd00::1]:9500}.
 * Names are not looked up here.
 *
 * @param host a host name, an IPv4 address, or an IPv6 address without brackets
 * @param port 0 to 65535; 0 only where a server listens on any free port
 */
public record HostPort(String host, int port) {

    private static final Pattern HOST_NAME = Pattern.compile(
            "[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?(\\.[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?)*\\.?");
    private static final Pattern ONLY_DIGITS_AND_DOTS = Pattern.compile("[0-9.]+");
    private static final Pattern IPV4 = Pattern.compile("((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\\.(?!$)|$)){4}");
    private static final int HOST_CHARACTERS_MAX = 253;
    private static final int PORT_MAX = 65535;

    public HostPort {
        Objects.requireNonNull(host, "host");
        if (!isHost(host)) {
            throw new IllegalArgumentException("not a host name or IP address: \"" + host + "\"");
        }
        if (port < 0 || port > PORT_MAX) {
            throw new IllegalArgumentException("port must be 0 to " + PORT_MAX + ", was " + port);
        }
        // The zone behind % names a network interface, and case matters there.
        int zone = host.indexOf('%');
        host = zone < 0
                ? host.toLowerCase(Locale.ROOT)
                : host.substring(0, zone).toLowerCase(Locale.ROOT) + host.substring(zone);
    }

    /**
     * Reads {@code host:port} or {@code [ipv6]:port}.
     *
     * @throws IllegalArgumentException if the text is no such address
     */
    public static HostPort parse(String text) {
        Objects.requireNonNull(text, "text");
        int colon = text.lastIndexOf(':');
        if (colon < 0 || text.endsWith("]")) {
            throw notAnAddress(text, "the port is missing");
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
            if (!isIpv6(host)) {
                throw notAnAddress(text, "the brackets hold no IPv6 address");
            }
        } else if (host.indexOf(':') >= 0) {
            throw notAnAddress(text, "an IPv6 address goes in brackets");
        }
        if (!isHost(host)) {
            throw notAnAddress(text, "\"" + host + "\" is no host name or IP address");
        }
        return new HostPort(host, parsePort(text, text.substring(colon + 1)));
    }

    /** The form that {@link #parse} reads. */
    @Override
    public String toString() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }

    private static int parsePort(String text, String port) {
        boolean digits = !port.isEmpty() && port.length() <= 5 && port.chars().allMatch(c -> c >= '0' && c <= '9');
        if (!digits || Integer.parseInt(port) > PORT_MAX) {
            throw notAnAddress(text, "the port must be 0 to " + PORT_MAX);
        }
        return Integer.parseInt(port);
    }

    private static boolean isHost(String host) {
        if (host.indexOf(':') >= 0) {
            return isIpv6(host);
        }
        if (ONLY_DIGITS_AND_DOTS.matcher(host).matches()) {
            return IPV4.matcher(host).matches();
        }
        return host.length() <= HOST_CHARACTERS_MAX && HOST_NAME.matcher(host).matches();
    }

    private static boolean isIpv6(String host) {
        int zone = host.indexOf('%');
        String address = zone < 0 ? host : host.substring(0, zone);
        if (address.indexOf(':') < 0 || zone == host.length() - 1 || host.indexOf(']') >= 0) {
            return false;
        }
        try {
            // In brackets it is taken as a literal: wrong ones are refused and never looked up as names.
            InetAddress.getByName("[" + address + "]");
            return true;
        } catch (UnknownHostException e) {
            return false;
        }
    }

    private static IllegalArgumentException notAnAddress(String text, String why) {
        return new IllegalArgumentException(
                "not an address of the form host:port or [ipv6]:port: \"" + text + "\" (" + why + ")");
    }
}
