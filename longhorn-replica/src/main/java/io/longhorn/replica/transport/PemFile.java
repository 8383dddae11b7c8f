package io.longhorn.replica.transport;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Certificates and keys in PEM files (RFC 7468). Text around the blocks is skipped. */
final class PemFile {
    /** A chain of certificates takes a few kilobytes. */
    private static final long FILE_BYTES_MAX = 1 << 20;

    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----\\s*([A-Za-z0-9+/=\\s]*?)\\s*-----END \\1-----");

    private record Block(String label, byte[] content) {}

    private PemFile() {}

    /** All certificates of the file, at least one, in their order. */
    static List<X509Certificate> certificates(Path file) throws IOException {
        List<X509Certificate> found = new ArrayList<>();
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            for (Block block : blocks(file, "certificates (BEGIN CERTIFICATE)")) {
                if (block.label().equals("CERTIFICATE")) {
                    found.add((X509Certificate) factory.generateCertificate(new ByteArrayInputStream(block.content())));
                }
            }
        } catch (CertificateException e) {
            throw new IOException(file + " holds a certificate that cannot be read: " + e.getMessage(), e);
        }
        if (found.isEmpty()) {
            throw new IOException(file + " holds no certificate; expected PEM with BEGIN CERTIFICATE");
        }
        return found;
    }

    /** The key that belongs to {@code certificate}. */
    static PrivateKey privateKey(Path file, X509Certificate certificate, Path certificateFile) throws IOException {
        String expected = "an unencrypted private key in PKCS#8 form (BEGIN PRIVATE KEY)";
        for (Block block : blocks(file, expected)) {
            switch (block.label()) {
                case "PRIVATE KEY" -> {
                    return readKey(file, block.content(), certificate, certificateFile);
                }
                case "ENCRYPTED PRIVATE KEY" ->
                    throw new IOException(file + " holds an encrypted key; expected " + expected);
                case "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY" ->
                    throw new IOException(file + " holds a key in the form BEGIN " + block.label() + "; expected "
                            + expected + ", as made by: openssl pkcs8 -topk8 -nocrypt");
                default -> {
                    // A certificate or parameters beside the key.
                }
            }
        }
        throw new IOException(file + " holds no key; expected " + expected);
    }

    private static PrivateKey readKey(Path file, byte[] content, X509Certificate certificate, Path certificateFile)
            throws IOException {
        PublicKey publicKey = certificate.getPublicKey();
        try {
            PrivateKey key =
                    KeyFactory.getInstance(publicKey.getAlgorithm()).generatePrivate(new PKCS8EncodedKeySpec(content));
            if (belongsTogether(key, publicKey)) {
                return key;
            }
        } catch (GeneralSecurityException e) {
            throw new IOException(
                    file + " holds no " + publicKey.getAlgorithm() + " key, as the certificate in " + certificateFile
                            + " needs: " + e.getMessage(),
                    e);
        }
        throw new IOException(file + " holds another key than that of the certificate in " + certificateFile);
    }

    private static boolean belongsTogether(PrivateKey key, PublicKey publicKey) throws GeneralSecurityException {
        String algorithm = switch (publicKey.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            default -> publicKey.getAlgorithm();
        };
        byte[] sample = "sample".getBytes(StandardCharsets.US_ASCII);
        Signature signature = Signature.getInstance(algorithm);
        signature.initSign(key);
        signature.update(sample);
        byte[] signed = signature.sign();
        signature.initVerify(publicKey);
        signature.update(sample);
        return signature.verify(signed);
    }

    private static List<Block> blocks(Path file, String expected) throws IOException {
        String text;
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new IOException(
                        file + " is larger than " + FILE_BYTES_MAX + " bytes; expected PEM with " + expected);
            }
            text = Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            throw new IOException(file + " does not exist; expected PEM with " + expected, e);
        }
        List<Block> found = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(text);
        while (matcher.find()) {
            try {
                found.add(new Block(matcher.group(1), Base64.getMimeDecoder().decode(matcher.group(2))));
            } catch (IllegalArgumentException e) {
                throw new IOException(file + " has a damaged block " + matcher.group(1) + ": " + e.getMessage(), e);
            }
        }
        if (found.isEmpty()) {
            throw new IOException(file + " is no PEM file; expected " + expected);
        }
        return found;
    }
}
