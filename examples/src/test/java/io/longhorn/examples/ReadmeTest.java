package io.longhorn.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The Java of the README and of the user guide is taken from the examples, word for word, so it compiles and runs. */
class ReadmeTest {

    private static final Pattern JAVA_BLOCK = Pattern.compile("```java\\R(.*?)```", Pattern.DOTALL);

    /** Tests run in the module's directory. */
    private static final Path ROOT = Path.of("..");

    @Test
    void everyJavaBlockOfTheReadmeIsPartOfAnExample() throws IOException {
        List<String> blocks = blocks(ROOT.resolve("README.md"));
        assertThat(blocks).hasSizeGreaterThanOrEqualTo(2);
        String examples = examples();
        assertThat(blocks).allSatisfy(block -> assertThat(examples).contains(block));
    }

    @Test
    void everyJavaBlockOfTheUserGuideIsPartOfAnExample() throws IOException {
        String examples = examples();
        assertThat(blocks(ROOT.resolve("docs/user-guide.md")))
                .allSatisfy(block -> assertThat(examples).contains(block));
    }

    @Test
    void everyJavaBlockOfThePageOnBackupsIsPartOfAnExample() throws IOException {
        String examples = examples();
        assertThat(blocks(ROOT.resolve("docs/backup.md")))
                .isNotEmpty()
                .allSatisfy(block -> assertThat(examples).contains(block));
    }

    private static List<String> blocks(Path document) throws IOException {
        Matcher matcher = JAVA_BLOCK.matcher(Files.readString(document));
        return matcher.results().map(block -> withoutSpaces(block.group(1))).toList();
    }

    private static String examples() throws IOException {
        try (Stream<Path> sources = Files.walk(Path.of("src/main/java"))) {
            return sources.filter(file -> file.toString().endsWith(".java"))
                    .map(ReadmeTest::read)
                    .map(ReadmeTest::withoutSpaces)
                    .collect(Collectors.joining("\n"));
        }
    }

    /** Where lines break differs between a class and a document, and says nothing. */
    private static String withoutSpaces(String source) {
        return source.replaceAll("\\s+", "");
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
