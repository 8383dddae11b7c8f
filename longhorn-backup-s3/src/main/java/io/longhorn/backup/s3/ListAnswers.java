package io.longhorn.backup.s3;

import software.amazon.awssdk.core.exception.RetryableException;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;

/** Has a list asked for again of which nothing arrived. The SDK takes an answer without a body for a list without entries, and who deletes what no list shows must not. */
final class ListAnswers implements ExecutionInterceptor {

    @Override
    public void afterUnmarshalling(Context.AfterUnmarshalling context, ExecutionAttributes attributes) {
        if (context.response() instanceof ListObjectsV2Response list && isNothing(list)) {
            throw RetryableException.create("the answer has no list in it");
        }
    }

    /** Servers differ in what they leave out, but none leaves out all of it. */
    private static boolean isNothing(ListObjectsV2Response list) {
        return list.name() == null && list.isTruncated() == null && list.keyCount() == null && list.maxKeys() == null;
    }
}
