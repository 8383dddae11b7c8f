package io.longhorn.engine;

import io.longhorn.Extent;
import io.longhorn.ExtentState;
import io.longhorn.Volume;
import io.longhorn.replica.wire.BlockState;
import io.longhorn.replica.wire.LayerId;
import io.longhorn.replica.wire.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Asks a replica of the view for its block maps and its state. Safe for any thread. */
final class MapReader {
    private static final int BLOCK = Volume.BLOCK_BYTES;

    private final EngineCore core;

    MapReader(EngineCore core) {
        this.core = core;
    }

    CompletionStage<Message.StatusOk> status() {
        return core.<Message.StatusOk>call(result -> core.maps.ask(
                new Message.Status(), Message.StatusOk.class, result::complete, result::completeExceptionally));
    }

    /** A page that shows nothing that is not confirmed. */
    private CompletionStage<Message.MapPage> page(Message.MapQuery query) {
        return core.<Message.MapPage>call(result -> core.maps.ask(
                query,
                Message.MapPage.class,
                page -> core.reads.settle(query.fromBlock(), query.toBlock(), Calls.completing(result, page)),
                result::completeExceptionally));
    }

    List<Extent> allocation(EngineVolume volume, LayerId layer, int pin, long offset, long length) {
        return extents(volume, Message.MapMode.MERGED, layer, pin, LayerId.LIVE, offset, length);
    }

    List<Extent> changed(EngineVolume volume, LayerId layer, int pin, LayerId since, long offset, long length) {
        List<Extent> changed = new ArrayList<>();
        for (Extent extent : extents(volume, Message.MapMode.CHANGED, layer, pin, since, offset, length)) {
            if (extent.state() == ExtentState.DATA) {
                changed.add(extent);
            }
        }
        return changed;
    }

    private List<Extent> extents(
            EngineVolume volume,
            Message.MapMode mode,
            LayerId layer,
            int pin,
            LayerId since,
            long offset,
            long length) {
        List<Extent> extents = new ArrayList<>();
        if (length == 0) {
            return extents;
        }
        long end = (offset + length + BLOCK - 1) / BLOCK;
        long block = offset / BLOCK;
        while (block >= 0 && extents.size() < Volume.EXTENTS_MAX) {
            Message.MapPage page =
                    volume.await(page(new Message.MapQuery(mode, layer, pin, since, 0, block, end)), "allocation");
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
