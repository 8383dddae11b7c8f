/**
 * Backup stores in S3 and in what speaks its protocol. {@link io.longhorn.backup.s3.S3StoreProvider} says which targets and credentials it takes, {@code S3Store} does the
 * work. Amazon's SDK signs, retries and understands answers; the bytes go through the JDK's HTTP client ({@code JdkHttpClient} says why). What to configure and which
 * permissions it takes: {@code docs/backup-targets.md}.
 */
@NullMarked
package io.longhorn.backup.s3;

import org.jspecify.annotations.NullMarked;
