package io.longhorn.replica.transport;

import io.longhorn.Tls;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.List;

/** Makes an authority and certificates, with nothing but the JDK: X.509 v3 in DER (RFC 5280), written out by hand. */
public final class TestCertificates {
    private static final byte[] ECDSA_SHA256 = sequence(oid(0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02));

    private final Path directory;
    private final String name;
    private final KeyPair keys;
    private final Path authorityFile;
    private int serial = 1;

    public TestCertificates(Path directory, String name) throws IOException, GeneralSecurityException {
        this.directory = directory;
        this.name = name;
        keys = newKeys("EC");
        authorityFile = directory.resolve(name + "-authority.pem");
        byte[] own = certificate(
                name, keys, extensions(true, List.of()), Instant.now().plusSeconds(86400));
        Files.writeString(authorityFile, pem("CERTIFICATE", own));
    }

    public Path authorityFile() {
        return authorityFile;
    }

    /** Certificate and key files for somebody, who answers to {@code hosts}, names or addresses. */
    public Tls issue(String subject, String keyAlgorithm, String... hosts)
            throws IOException, GeneralSecurityException {
        return issue(subject, keyAlgorithm, Instant.now().plusSeconds(86400), hosts);
    }

    public Tls issue(String subject, String keyAlgorithm, Instant end, String... hosts)
            throws IOException, GeneralSecurityException {
        KeyPair subjectKeys = newKeys(keyAlgorithm);
        byte[] certificate = certificate(subject, subjectKeys, extensions(false, List.of(hosts)), end);
        Path certificateFile = directory.resolve(subject + ".pem");
        Path keyFile = directory.resolve(subject + "-key.pem");
        Files.writeString(certificateFile, "made by a test\n" + pem("CERTIFICATE", certificate));
        Files.writeString(keyFile, pem("PRIVATE KEY", subjectKeys.getPrivate().getEncoded()));
        return new Tls(certificateFile, keyFile, authorityFile);
    }

    static String pem(String label, byte[] content) {
        return "-----BEGIN " + label + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content) + "\n-----END " + label
                + "-----\n";
    }

    private static KeyPair newKeys(String algorithm) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
        generator.initialize(algorithm.equals("EC") ? 256 : 2048);
        return generator.generateKeyPair();
    }

    private byte[] certificate(String subject, KeyPair subjectKeys, byte[] extensions, Instant end)
            throws GeneralSecurityException {
        byte[] body = sequence(concat(
                tlv(0xA0, tlv(0x02, 2)),
                tlv(0x02, serial++),
                ECDSA_SHA256,
                commonName(name),
                sequence(concat(time(end.minusSeconds(2 * 86400)), time(end))),
                commonName(subject),
                subjectKeys.getPublic().getEncoded(),
                tlv(0xA3, extensions)));
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(keys.getPrivate());
        signature.update(body);
        return sequence(concat(body, ECDSA_SHA256, tlv(0x03, concat(new byte[1], signature.sign()))));
    }

    private static byte[] extensions(boolean authority, List<String> hosts) {
        byte[] constraints = sequence(concat(
                oid(0x55, 0x1D, 0x13),
                tlv(0x01, 0xFF),
                tlv(0x04, sequence(authority ? tlv(0x01, 0xFF) : new byte[0]))));
        if (hosts.isEmpty()) {
            return sequence(constraints);
        }
        byte[] names = new byte[0];
        for (String host : hosts) {
            names = concat(names, alternativeName(host));
        }
        return sequence(concat(constraints, sequence(concat(oid(0x55, 0x1D, 0x11), tlv(0x04, sequence(names))))));
    }

    private static byte[] alternativeName(String host) {
        if (host.indexOf(':') < 0 && !host.chars().allMatch(c -> c == '.' || Character.isDigit(c))) {
            return tlv(0x82, host.getBytes(StandardCharsets.US_ASCII));
        }
        try {
            return tlv(0x87, InetAddress.getByName(host).getAddress());
        } catch (IOException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static byte[] commonName(String name) {
        return sequence(tlv(
                0x31, sequence(concat(oid(0x55, 0x04, 0x03), tlv(0x0C, name.getBytes(StandardCharsets.UTF_8))))));
    }

    private static byte[] time(Instant instant) {
        String text = DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'")
                .withZone(ZoneOffset.UTC)
                .format(instant);
        return tlv(0x17, text.getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] sequence(byte[] content) {
        return tlv(0x30, content);
    }

    private static byte[] oid(int... bytes) {
        return tlv(0x06, bytes);
    }

    private static byte[] tlv(int tag, int... content) {
        byte[] bytes = new byte[content.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) content[i];
        }
        return tlv(tag, bytes);
    }

    private static byte[] tlv(int tag, byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(tag);
        if (content.length >= 0x100) {
            out.write(0x82);
            out.write(content.length >>> 8);
        } else if (content.length >= 0x80) {
            out.write(0x81);
        }
        out.write(content.length);
        out.writeBytes(content);
        return out.toByteArray();
    }

    private static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
