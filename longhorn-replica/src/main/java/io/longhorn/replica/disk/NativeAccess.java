package io.longhorn.replica.disk;

import java.lang.reflect.InvocationTargetException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether {@link NativeFiles} can be had. Apart from it, because that class cannot even be loaded without JNA.
 */
final class NativeAccess {
    private static final Logger LOG = LoggerFactory.getLogger(NativeAccess.class);

    private static final Optional<NativeFiles> AVAILABLE = find();

    private NativeAccess() {}

    /** The calls, if this system and its set-up allow them. */
    static Optional<NativeFiles> available() {
        return AVAILABLE;
    }

    private static Optional<NativeFiles> find() {
        try {
            String why = whyNot();
            if (why == null) {
                return Optional.of(new NativeFiles());
            }
            LOG.info("hole punching is off: {}", why);
        } catch (LinkageError | SecurityException e) {
            LOG.info("hole punching is off: JNA cannot be used: {}", e.toString());
        }
        return Optional.empty();
    }

    private static @Nullable String whyNot() {
        boolean linux64 = "Linux".equals(System.getProperty("os.name"))
                && String.valueOf(System.getProperty("os.arch")).contains("64");
        if (!linux64) {
            return "it needs 64-bit Linux";
        }
        try {
            Module jna = Class.forName("com.sun.jna.Native", false, NativeAccess.class.getClassLoader())
                    .getModule();
            if (!nativeAccessEnabled(jna)) {
                return "native access is not enabled for " + (jna.isNamed() ? jna.getName() : "ALL-UNNAMED")
                        + " (--enable-native-access)";
            }
            return null;
        } catch (ClassNotFoundException e) {
            return "JNA is not there";
        }
    }

    /** Before JDK 22 everyone may; from then on the module says. */
    private static boolean nativeAccessEnabled(Module module) {
        try {
            return (boolean) Module.class.getMethod("isNativeAccessEnabled").invoke(module);
        } catch (NoSuchMethodException e) {
            return true;
        } catch (IllegalAccessException | InvocationTargetException e) {
            LOG.debug("cannot ask for native access", e);
            return false;
        }
    }
}
