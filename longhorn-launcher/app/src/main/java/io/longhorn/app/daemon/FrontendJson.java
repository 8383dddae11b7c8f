package io.longhorn.app.daemon;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A frontend as the API describes it. */
final class FrontendJson {

    private FrontendJson() {}

    /** @param all what is attached, by whatever frontend */
    static Map<String, Object> of(Frontend frontend, List<Attachments.State> all) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("frontend", frontend.kind().word());
        json.put("available", frontend.problem().isEmpty());
        frontend.problem().ifPresent(problem -> json.put("problem", problem));
        json.put(
                "attached",
                all.stream()
                        .filter(state -> state.attachment().kind() == frontend.kind())
                        .map(FrontendJson::attached)
                        .toList());
        return json;
    }

    private static Map<String, Object> attached(Attachments.State state) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("volume", state.attachment().volume());
        json.putAll(VolumeJson.attachment(state));
        return json;
    }
}
