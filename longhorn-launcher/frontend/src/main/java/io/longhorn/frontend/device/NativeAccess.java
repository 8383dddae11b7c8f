package io.longhorn.frontend.device;

import java.lang.reflect.InvocationTargetException;
import org.jspecify.annotations.Nullable;

/** Whether {@link KernelCalls} can be had. Apart from it, because that class cannot even be loaded without JNA. */
final class NativeAccess {

    private static final @Nullable String MISSING = find();

    private NativeAccess() {}

    /** What is missing, as part of a sentence; null if nothing. */
    static @Nullable String missing() {
        return MISSING;
    }

    private static @Nullable String find() {
        boolean linux64 = "Linux".equals(System.getProperty("os.name"))
                && String.valueOf(System.getProperty("os.arch")).contains("64");
        if (!linux64) {
            return "64-bit Linux";
        }
        try {
            Module jna = Class.forName("com.sun.jna.Native", false, NativeAccess.class.getClassLoader())
                    .getModule();
            if (!nativeAccessEnabled(jna)) {
                return "native access for " + (jna.isNamed() ? jna.getName() : "ALL-UNNAMED")
                        + " (start Java with --enable-native-access)";
            }
            KernelCalls.load();
            return null;
        } catch (ClassNotFoundException e) {
            return "JNA (add net.java.dev.jna:jna)";
        } catch (LinkageError | SecurityException e) {
            return "a JNA that works here (" + e + ")";
        }
    }

    /** Before JDK 22 everyone may; from then on the module says. */
    private static boolean nativeAccessEnabled(Module module) {
        try {
            return (boolean) Module.class.getMethod("isNativeAccessEnabled").invoke(module);
        } catch (NoSuchMethodException e) {
            return true;
        } catch (IllegalAccessException | InvocationTargetException e) {
            return false;
        }
    }
}
