package io.longhorn.simulator.mutation;

import java.io.IOException;
import java.io.InputStream;

/** Loads the project's classes once more, one of them with a planted bug, so that production code needs no hook for that. */
final class MutantLoader extends ClassLoader {
    private static final String OURS = "io.longhorn.";

    private final ClassLoader original;
    private final Mutant mutant;

    MutantLoader(ClassLoader original, Mutant mutant) {
        super(original);
        this.original = original;
        this.mutant = mutant;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith(OURS)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded != null ? loaded : define(name);
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        byte[] bytes = name.equals(mutant.className()) ? mutant.bytes(original) : read(name);
        return defineClass(name, bytes, 0, bytes.length);
    }

    private byte[] read(String name) throws ClassNotFoundException {
        try (InputStream in = original.getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new ClassNotFoundException(name, e);
        }
    }
}
