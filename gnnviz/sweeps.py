"""Sets of runs that differ in one thing: the opening sweep over depth, and what a sweep has shown so far.

Knows configurations and the store; starts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from statistics import median

from gnnviz.config import DeviceType, RunConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.figures.depth_points import DepthPoint
from gnnviz.findings import PACE_WINDOW
from gnnviz.presets import PRESETS
from gnnviz.records import EpochRecord
from gnnviz.runs import RunState, RunStatus, RunStore

OPENING_DEPTHS = (2, 4, 8, 16, 32)


def opening_sweep(device: DeviceType, threads: int) -> tuple[RunConfig, ...]:
    """Return the runs of the opening story: GCN on Cora, one recipe, from 2 to 32 layers.

    Args:
        device: where the runs will be trained.
        threads: torch's threads for each of them.
    """
    recipe = PRESETS["one_recipe"]
    dataset = DatasetSpec("cora", "kipf", normalisation=recipe.normalisation)
    return tuple(
        RunConfig(dataset, replace(recipe.model, num_layers=depth), recipe.training, device, threads)
        for depth in OPENING_DEPTHS
    )


def to_start(store: RunStore, configs: Sequence[RunConfig]) -> tuple[RunConfig, ...]:
    """Return the runs that were never asked for, or were cut off; what the user stopped stays stopped."""
    known = set(store.run_ids())
    return tuple(
        config
        for config in configs
        if config.run_id not in known or store.status(config.run_id).state is RunState.INTERRUPTED
    )


def depth_points(
    configs: Sequence[RunConfig], statuses: Sequence[RunStatus], smoothness: Mapping[str, float | None]
) -> tuple[DepthPoint, ...]:
    """Return what is known of each model at each depth; runs that differ in their seed share a point.

    Args:
        configs: the runs of a sweep.
        statuses: where each stands.
        smoothness: a measure of the last hidden layer, by run_id, where it is known.
    """
    runs = sorted(zip(configs, statuses, strict=True), key=lambda run: _place(run[0]))
    return tuple(
        _point(model, depth, list(group), smoothness)
        for (model, depth), group in groupby(runs, key=lambda run: _place(run[0]))
    )


def sweep_seconds_left(
    configs: Sequence[RunConfig], histories: Sequence[Sequence[EpochRecord]], workers: int
) -> float | None:
    """Return the seconds until all runs have ended, from the time that one layer takes in one epoch.

    Args:
        configs: the runs that have not ended.
        histories: their epochs so far.
        workers: how many of them train at a time.

    Returns:
        An estimate, or None before the first epoch of any run.
    """
    paces = [
        median(record.seconds for record in history[-PACE_WINDOW:]) / config.model.num_layers
        for config, history in zip(configs, histories, strict=True)
        if history
    ]
    if not paces:
        return None
    layers_left = sum(
        config.model.num_layers * (config.training.epochs - (history[-1].epoch if history else 0))
        for config, history in zip(configs, histories, strict=True)
    )
    return median(paces) * layers_left / workers


def _place(config: RunConfig) -> tuple[str, int]:
    return config.model.model, config.model.num_layers


def _point(
    model: str,
    depth: int,
    runs: Sequence[tuple[RunConfig, RunStatus]],
    smoothness: Mapping[str, float | None],
) -> DepthPoint:
    done = [config.run_id for config, status in runs if status.state is RunState.DONE]
    results = {config.run_id: status.best for config, status in runs}
    live = [best.test_acc for run_id, best in results.items() if best is not None and run_id not in done]
    return DepthPoint(
        depth=depth,
        accuracies=tuple(best.test_acc for run_id in done if (best := results[run_id]) is not None),
        live=live[0] if live and not done else None,
        smoothness=tuple(value for run_id in done if (value := smoothness.get(run_id)) is not None),
        model=model,
    )
