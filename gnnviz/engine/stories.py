"""What a worker computes for nodes' stories: what runs of several depths predict, and what goes with that.

Named by the app, computed on a worker, like `gnnviz.engine.analyses`, on which it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gnnviz.engine.analyses import predictions
from gnnviz.engine.summaries import best_epoch
from gnnviz.engine.tasks import load_graph_once
from gnnviz.errors import RunError
from gnnviz.node_stories import NodeStories, Turning, node_stories
from gnnviz.runs import RunStore
from gnnviz.story_words import Correlation, correlations


def depth_stories(store_root: str, run_ids: Sequence[str]) -> NodeStories:
    """Return what runs predict for every node at their best epochs.

    Args:
        store_root: the folder of runs.
        run_ids: runs on one graph, one a depth, shallow ones first.

    Raises:
        RunError: no runs, an unknown one, or one whose best epoch is not kept.
        DatasetError: the graph is not there any more, or has no labels.
    """
    if not run_ids:
        raise RunError("got no runs to tell stories of; give one for each depth")
    store = RunStore(Path(store_root))
    configs = [store.config(run_id) for run_id in run_ids]
    return node_stories(
        load_graph_once(configs[0].dataset),
        [config.model.num_layers for config in configs],
        [predictions(store_root, run_id, best_epoch(store, run_id)) for run_id in run_ids],
    )


def story_correlations(store_root: str, run_ids: Sequence[str], turning: Turning) -> tuple[Correlation, ...]:
    """Return what goes with turning wrong early; arguments and errors as `depth_stories`."""
    return correlations(depth_stories(store_root, run_ids), turning)
