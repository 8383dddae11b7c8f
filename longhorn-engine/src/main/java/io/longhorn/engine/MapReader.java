package io.longhorn.engine;

import io.longhorn.Extent;
import io.longhorn.ExtentState;
import io.longhorn.SnapshotNotFoundException;
import io.longhorn.Volume;
import io.longhorn.VolumeFaultedException;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;

/** Asks a replica of the view for its block maps and its state. Safe for any thread. */
final class MapReader {
    private static final int BLOCK = Volume.BLOCK_BYTES;

    private final EngineCore core;

    MapReader(EngineCore core) {
        this.core = core;
    }

    CompletionStage<Message.StatusOk> status() {
        return ask(new Message.Status(), Message.StatusOk.class, CompletableFuture::complete);
    }

    private CompletionStage<Message.MapPage> page(Message.MapQuery query) {
        return ask(
                query,
                Message.MapPage.class,
                (result, page) ->
                        core.reads.settle(query.fromBlock(), query.toBlock(), Calls.completing(result, page)));
    }

    private <M extends Message> CompletionStage<M> ask(
            Message question, Class<M> kind, BiConsumer<CompletableFuture<M>, M> answered) {
        return core.<M>call(result -> {
            for (ReplicaLink link : core.view.members()) {
                if (core.view.isReadable(link)) {
                    link.request(
                            question,
                            Replies.expecting(
                                    kind,
                                    answer -> answered.accept(result, answer),
                                    refused -> refuse(result, refused)));
                    core.armTick();
                    return;
                }
            }
            throw core.failure() != null
                    ? core.failure()
                    : new VolumeFaultedException(core.volumeName(), "no replica can be asked");
        });
    }

    private void refuse(CompletableFuture<?> result, String reason) {
        result.completeExceptionally(
                reason.contains("no snapshot")
                        ? new SnapshotNotFoundException(core.volumeName(), reason)
                        : new VolumeFaultedException(core.volumeName(), reason));
    }

    List<Extent> allocation(EngineVolume volume, LayerId layer, long offset, long length) {
        return extents(volume, Message.MapMode.MERGED, layer, LayerId.LIVE, offset, length);
    }

    List<Extent> changed(EngineVolume volume, LayerId layer, LayerId since, long offset, long length) {
        List<Extent> changed = new ArrayList<>();
        for (Extent extent : extents(volume, Message.MapMode.CHANGED, layer, since, offset, length)) {
            if (extent.state() == ExtentState.DATA) {
                changed.add(extent);
            }
        }
        return changed;
    }

    private List<Extent> extents(
            EngineVolume volume, Message.MapMode mode, LayerId layer, LayerId since, long offset, long length) {
        List<Extent> extents = new ArrayList<>();
        if (length == 0) {
            return extents;
        }
        long end = (offset + length + BLOCK - 1) / BLOCK;
        long block = offset / BLOCK;
        while (block >= 0 && extents.size() < Volume.EXTENTS_MAX) {
            Message.MapPage page =
                    volume.await(page(new Message.MapQuery(mode, layer, 0, since, 0, block, end)), "allocation");
            for (Message.MapRun run : page.runs()) {
                add(extents, run, offset, offset + length);
            }
            block = page.nextBlock();
        }
        return List.copyOf(extents.subList(0, Math.min(extents.size(), Volume.EXTENTS_MAX)));
    }

    private static void add(List<Extent> extents, Message.MapRun run, long from, long to) {
        long start = Math.max(from, run.firstBlock() * BLOCK);
        long end = Math.min(to, (run.firstBlock() + run.blocks()) * BLOCK);
        ExtentState state = stateOf(run.state());
        if (start >= end) {
            return;
        }
        Extent last = extents.isEmpty() ? null : extents.get(extents.size() - 1);
        if (last != null && last.state() == state && last.endBytes() == start) {
            extents.set(extents.size() - 1, new Extent(last.offsetBytes(), end - last.offsetBytes(), state));
        } else {
            extents.add(new Extent(start, end - start, state));
        }
    }

    private static ExtentState stateOf(BlockState state) {
        return switch (state) {
            case ABSENT -> ExtentState.ABSENT;
            case DATA -> ExtentState.DATA;
            case ZEROED -> ExtentState.ZEROED;
        };
    }
}
