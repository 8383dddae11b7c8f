package io.longhorn.backup.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.BackupTargetException;
import java.net.URI;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class S3LocationTest {

    private static S3Location of(String uri) {
        return S3Location.of(URI.create(uri));
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "s3://bucket@eu-west-1/path/, bucket, eu-west-1, path/",
                "s3://bucket@eu-west-1/a/b/c, bucket, eu-west-1, a/b/c/",
                "s3://bucket/path/, bucket, -, path/",
                "S3://bucket/a%20b/, bucket, -, a b/",
                "s3://my_bucket.with-all@us-east-1/p, my_bucket.with-all, us-east-1, p/",
                "s3://my_bucket/p, my_bucket, -, p/"
            })
    void bucketRegionAndPathAreTold(String uri, String bucket, String region, String prefix) {
        assertThat(of(uri)).isEqualTo(new S3Location(bucket, Optional.ofNullable(region), prefix));
    }

    @Test
    void aPathMayBeMissing() {
        S3Location whole = new S3Location("bucket", Optional.of("eu-west-1"), "");
        assertThat(of("s3://bucket@eu-west-1/")).isEqualTo(whole).hasToString("s3://bucket@eu-west-1/");
        assertThat(of("s3://bucket@eu-west-1")).isEqualTo(whole);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "s3:/path",
                "s3:path",
                "s3:///path",
                "s3://@eu-west-1/",
                "s3://ab/",
                "s3://bucket@/",
                "s3://bucket@eu_west/",
                "s3://bucket:9000/path",
                "s3://-bucket/"
            })
    void otherFormsAreRefused(String uri) {
        assertThatThrownBy(() -> of(uri))
                .isInstanceOf(BackupTargetException.class)
                .hasMessageContaining("s3://bucket@region/path/");
    }

    @ParameterizedTest
    @ValueSource(strings = {"s3://bucket/a//b", "s3://bucket/../b", "s3://bucket/a/./b", "s3://bucket//"})
    void pathsThatAreNoFoldersAreRefused(String uri) {
        assertThatThrownBy(() -> of(uri))
                .isInstanceOf(BackupTargetException.class)
                .hasMessageContaining("the path is names");
    }

    @Test
    void parametersAreRefused() {
        assertThatThrownBy(() -> of("s3://bucket/path?region=eu-west-1"))
                .isInstanceOf(BackupTargetException.class)
                .hasMessageContaining("no parameters");
    }

    @Test
    void keysInTheWrongPlaceAreNotShown() {
        assertThatThrownBy(() -> of("s3://AKID:hidden-secret@bucket/path"))
                .isInstanceOf(BackupTargetException.class)
                .hasMessageNotContaining("hidden");
    }
}
