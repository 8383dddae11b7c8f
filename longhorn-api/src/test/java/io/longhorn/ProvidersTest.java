package io.longhorn;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.fake.ContextProvider;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Objects;
import java.util.ServiceConfigurationError;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProvidersTest {

    private final ClassLoader before = Thread.currentThread().getContextClassLoader();

    @TempDir
    Path directory;

    @AfterEach
    void restoreContextClassLoader() {
        Thread.currentThread().setContextClassLoader(before);
    }

    @Test
    void withoutAnEngineTheErrorNamesTheArtifact() {
        assertThatExceptionOfType(EngineMissingException.class)
                .isThrownBy(() -> Longhorn.embedded(directory))
                .withMessageContaining("io.longhorn:longhorn-engine");
        LonghornConfig config = LonghornConfig.builder()
                .registry(directory)
                .replicaServer("localhost:9500")
                .build();
        assertThatExceptionOfType(EngineMissingException.class)
                .isThrownBy(() -> Longhorn.connect(config))
                .withMessageContaining("io.longhorn:longhorn-engine");
    }

    @Test
    void withoutAContextClassLoaderTheErrorIsTheSame() {
        Thread.currentThread().setContextClassLoader(null);

        assertThatExceptionOfType(EngineMissingException.class).isThrownBy(() -> Longhorn.embedded(directory));
    }

    @Test
    void withoutABackupModuleTheErrorNamesTheArtifact() {
        BackupTarget target = BackupTarget.at(URI.create("file:///backups/"));
        Snapshot snapshot = new FakeVolume(4096).snapshot("before");

        assertThatExceptionOfType(BackupModuleMissingException.class)
                .isThrownBy(() -> snapshot.backUpTo(target))
                .withMessageContaining("io.longhorn:longhorn-backup");
    }

    @Test
    void aProviderOfTheContextClassLoaderIsFound() {
        Thread.currentThread().setContextClassLoader(new PluginLoader(directory, ContextProvider.class.getName()));
        Snapshot snapshot = new FakeVolume(4096).snapshot("before");

        assertThatThrownBy(() -> Longhorn.embedded(directory)).hasMessage("embedded " + directory);
        assertThatThrownBy(() -> snapshot.backUpTo(BackupTarget.at(URI.create("file:///backups/"))))
                .hasMessage("start before");
    }

    @Test
    void aBrokenContextClassLoaderIsReportedWhenNothingElseIsFound() {
        Thread.currentThread().setContextClassLoader(new PluginLoader(directory, "io.longhorn.fake.Absent"));

        assertThatThrownBy(() -> Longhorn.embedded(directory)).isInstanceOf(ServiceConfigurationError.class);
    }

    /** Like a plug-in's loader: has its own copy of the provider class, and a services file that nobody else sees. */
    private static final class PluginLoader extends ClassLoader {

        private final Path directory;
        private final String provider;

        PluginLoader(Path directory, String provider) {
            super(ProvidersTest.class.getClassLoader());
            this.directory = directory;
            this.provider = provider;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.equals(ContextProvider.class.getName())) {
                return super.loadClass(name, resolve);
            }
            Class<?> loaded = findLoadedClass(name);
            if (loaded != null) {
                return loaded;
            }
            String file = ContextProvider.class.getSimpleName() + ".class";
            try (InputStream in = Objects.requireNonNull(ContextProvider.class.getResourceAsStream(file))) {
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }

        @Override
        public Enumeration<URL> getResources(String name) throws IOException {
            if (!name.startsWith("META-INF/services/io.longhorn.spi.")) {
                return super.getResources(name);
            }
            try {
                Path file = Files.writeString(directory.resolve("services"), provider + "\n");
                return Collections.enumeration(List.of(file.toUri().toURL()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
