"""What a worker computes for the depth cursor: the frames of several runs, or of one run's layers.

Named by the app, computed on a worker, like `gnnviz.engine.analyses`, on which it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from gnnviz.cursor import (
    CursorFrames,
    FrameSource,
    TsneFrame,
    cursor_frames,
    cursor_measures,
    drawn_nodes,
    tsne_points,
)
from gnnviz.engine.analyses import Values, hidden_states, layer_state
from gnnviz.engine.summaries import best_epoch
from gnnviz.engine.tasks import load_graph_once
from gnnviz.errors import ConfigError
from gnnviz.runs import RunStore


def depth_frames(store_root: str, run_ids: Sequence[str]) -> CursorFrames:
    """Return the last hidden layer of each run at its best epoch; with one layer, its logits.

    Args:
        store_root: the folder of runs.
        run_ids: runs on one graph, ascending in depth, each with a best epoch that is kept.

    Raises:
        ConfigError: no runs.
        RunError: there is no such run, or its best epoch is not kept (yet).
        DatasetError: the runs' graph is not there any more.
    """
    if not run_ids:
        raise ConfigError("got no runs; the cursor needs one finished run or more")
    store = RunStore(Path(store_root))
    sources, states, predictions = [], [], []
    for run_id in run_ids:
        epoch = best_epoch(store, run_id)
        outputs = hidden_states(store_root, run_id, epoch)
        layer = max(len(outputs) - 1, 1)
        sources.append(FrameSource(run_id, epoch, layer))
        states.append(outputs[layer - 1])
        predictions.append(_predicted(outputs))
    configs = [store.config(run_id) for run_id in run_ids]
    return cursor_frames(
        sources,
        [config.model.num_layers for config in configs],
        states,
        predictions,
        load_graph_once(configs[0].dataset),
        cursor_measures(configs[0].model),
    )


def layer_frames(store_root: str, run_id: str, epoch: int) -> CursorFrames:
    """Return states 1 to num_states of one run, the last of them the logits; predictions are the run's.

    Raises:
        RunError: there is no such run or checkpoint.
        DatasetError: the run's graph is not there any more.
    """
    config = RunStore(Path(store_root)).config(run_id)
    states = hidden_states(store_root, run_id, epoch)
    layers = range(1, len(states) + 1)
    return cursor_frames(
        [FrameSource(run_id, epoch, layer) for layer in layers],
        layers,
        states,
        [_predicted(states)] * len(states),
        load_graph_once(config.dataset),
        cursor_measures(config.model),
    )


def tsne_frame(store_root: str, sources: tuple[FrameSource, ...]) -> TsneFrame:
    """Return the t-SNE of the last of some frames, begun from the one before; takes many seconds.

    The frames before it are computed first, unless this worker has just done so: asked in order, each
    question costs one t-SNE.

    Args:
        store_root: the folder of runs.
        sources: the frames from the first to the one that is asked for; 1 or more.

    Raises:
        RunError: there is no such run, checkpoint or layer.
        DatasetError: the graph is not there any more.
    """
    return _tsne_frame(store_root, sources)


@lru_cache(maxsize=128)
def _tsne_frame(store_root: str, sources: tuple[FrameSource, ...]) -> TsneFrame:
    before = None
    for count in range(1, len(sources)):  # in order, so that no call is nested deeply
        frame = _tsne_frame(store_root, sources[:count])
        if frame.points is not None and frame.points.any():  # one point has no arrangement to hand on
            before = frame.points
    own = sources[-1]
    state = layer_state(store_root, own.run_id, own.epoch, own.layer)
    return tsne_points(state, drawn_nodes(len(state)), before)


def _predicted(outputs: Sequence[Values]) -> np.ndarray:
    return outputs[-1].argmax(axis=1)
