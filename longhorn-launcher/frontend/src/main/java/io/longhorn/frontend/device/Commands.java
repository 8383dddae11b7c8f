package io.longhorn.frontend.device;

import java.io.IOException;
import java.util.List;

/** Runs commands of the host. */
interface Commands {

    /** Waits for its end, for at most a limit of its own. */
    Outcome run(List<String> command) throws IOException, InterruptedException;

    /**
     * How a command ended.
     *
     * @param output what it printed, also as errors, without blanks around it
     */
    record Outcome(int exitCode, String output) {

        /** Fails, naming the command and what it printed, unless the code is 0. */
        void orFail(List<String> command) throws IOException {
            if (exitCode != 0) {
                throw new IOException(
                        "\"" + String.join(" ", command) + "\" failed with code " + exitCode + ": " + output);
            }
        }
    }
}
