package io.longhorn.app;

import io.longhorn.LonghornException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import picocli.CommandLine;

/** Says a failure in one line that names the thing and what to do. */
public final class FailureLine {

    private FailureLine() {}

    public static String of(Throwable failure) {
        return sentence(failure).strip().replaceAll("\\s*\\R\\s*", "; ");
    }

    private static String sentence(Throwable failure) {
        String message = failure.getMessage() == null ? "" : failure.getMessage();
        if (failure instanceof LonghornException
                || failure instanceof CommandFailure
                || failure instanceof CommandLine.ParameterException) {
            return message;
        }
        if (failure instanceof UncheckedIOException && failure.getCause() != null) {
            return sentence(failure.getCause());
        }
        if (failure instanceof FileSystemException file) {
            return fileSentence(file);
        }
        if ((failure instanceof IOException || failure instanceof IllegalArgumentException) && !message.isBlank()) {
            return message;
        }
        // Nothing that we foresaw: a defect, or the machine.
        return failure + "; run again with --verbose for the stack trace";
    }

    /** The JDK's messages of these are often the bare name of the file. */
    private static String fileSentence(FileSystemException failure) {
        String file = failure.getFile();
        if (failure instanceof NoSuchFileException) {
            String reason = failure.getReason();
            return "there is no file or directory " + file + (reason == null ? "" : ": " + reason);
        }
        if (failure instanceof FileAlreadyExistsException) {
            return file + " exists already; choose another name or remove it";
        }
        if (failure instanceof AccessDeniedException) {
            return "no permission for " + file + "; check owner and mode";
        }
        if (failure instanceof NotDirectoryException) {
            return file + " is no directory";
        }
        return file + ": " + (failure.getReason() == null ? failure.getClass().getSimpleName() : failure.getReason());
    }
}
