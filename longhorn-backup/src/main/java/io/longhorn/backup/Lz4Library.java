package io.longhorn.backup;

import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;
import net.jpountz.xxhash.XXHash32;
import net.jpountz.xxhash.XXHashFactory;

/** LZ4 and its hash by their C library where that may be loaded, else in Java; both give what the other reads. Safe for any thread. */
final class Lz4Library {
    private static final boolean NATIVE = isNativeAllowed(LZ4Factory.class.getModule());

    private static final LZ4Factory LZ4 = NATIVE ? LZ4Factory.fastestInstance() : LZ4Factory.safeInstance();
    private static final XXHash32 HASH =
            (NATIVE ? XXHashFactory.fastestInstance() : XXHashFactory.safeInstance()).hash32();

    private Lz4Library() {}

    static LZ4Compressor compressor() {
        return LZ4.fastCompressor();
    }

    static LZ4SafeDecompressor decompressor() {
        return LZ4.safeDecompressor();
    }

    /** The checksum of frames. */
    static int hash(byte[] bytes, int from, int length) {
        return HASH.hash(bytes, from, length, 0);
    }

    /** Before JDK 22 everyone may; from then on the module says. */
    private static boolean isNativeAllowed(Module module) {
        try {
            return (boolean) Module.class.getMethod("isNativeAccessEnabled").invoke(module);
        } catch (NoSuchMethodException e) {
            return true;
        } catch (ReflectiveOperationException e) {
            return false;
        }
    }
}
