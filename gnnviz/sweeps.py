"""Sets of runs of one recipe: the opening sweep, sweeps of models, depths and seeds, what they have shown.

Knows configurations and how far runs have come; reads nothing and starts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from statistics import median

from gnnviz.config import DeviceType, RunConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.figures.depth_points import DepthPoint
from gnnviz.models import MODELS, OF_SOME_MODELS, ModelConfig, divisors
from gnnviz.presets import PRESETS
from gnnviz.remedies import NO_REMEDIES, combined, fitting
from gnnviz.run_status import PAUSED, RunState, RunStatus

OPENING_DEPTHS = (2, 4, 8, 16, 32)
USUAL_HEADS = 8  # of GAT's paper
MOST_HEADS = 16


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """How far the runs of a sweep have come.

    Attributes:
        done: finished; nothing is left to do.
        active: waiting or running.
        stopped: begun and cancelled, failed or cut off; they would go on from where they stopped.
        new: never asked for.
        paused: those of `stopped` that are held to go on later, in the order in which they were queued.
        statuses: how far each has come that was ever asked for.
    """

    done: tuple[RunConfig, ...]
    active: tuple[RunConfig, ...]
    stopped: tuple[RunConfig, ...]
    new: tuple[RunConfig, ...]
    paused: tuple[RunConfig, ...]
    statuses: Mapping[RunConfig, RunStatus]

    @property
    def missing(self) -> tuple[RunConfig, ...]:
        """The runs that have to be queued for the sweep to become whole."""
        return (*self.stopped, *self.new)

    @property
    def waiting(self) -> tuple[RunConfig, ...]:
        """The active runs that have not begun."""
        return tuple(run for run in self.active if self.statuses[run].state is RunState.QUEUED)


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


def sweep(
    base: RunConfig,
    models: Sequence[str],
    depths: Sequence[int],
    seeds: int,
    remedies: Sequence[str] = (),
) -> tuple[RunConfig, ...]:
    """Return one run for each model, depth, seed and remedy, all with the recipe of `base`.

    The shallow ones come first, so that a picture against depth fills from the left.

    Args:
        base: the recipe; its own model and depth do not matter, its seed is the first one.
        models: keys of `MODELS`.
        depths: numbers of layers, 1 to 64.
        seeds: how many seeds, 1 or more.
        remedies: keys of `REMEDIES`; each is tried by itself beside the recipe as it is, where a model and a
            depth can have it.

    Raises:
        ConfigError: a model, depth, seed or remedy that is not allowed.
    """
    runs = (
        replace(base, model=variant, training=replace(base.training, seed=base.training.seed + offset))
        for offset in range(seeds)
        for depth in sorted(set(depths))
        for model in models
        for variant in _variants(in_recipe(base.model, model, depth), remedies)
    )
    return tuple(dict.fromkeys(runs))


def _variants(model: ModelConfig, remedies: Sequence[str]) -> tuple[ModelConfig, ...]:
    """Return a model as it is, then with each of the remedies that it can have."""
    possible = fitting(MODELS[model.model].remedies, model.num_layers) if remedies else ()
    merged = [
        {**model.remedies.changed(), **combined((name,)).changed()} for name in remedies if name in possible
    ]
    return (model, *(replace(model, remedies=replace(NO_REMEDIES, **fields)) for fields in merged))


@lru_cache(maxsize=1024, typed=True)
def in_recipe(base: ModelConfig, model: str, depth: int) -> ModelConfig:
    """Return another model or depth with all that `base` says and the other can have.

    What it has none of stays at its default. Where only the new model has attention heads, it gets
    `usual_heads`; one layer has no jumping knowledge.

    Raises:
        ConfigError: a model or a depth that is not allowed.
    """
    if model not in tuple(MODELS):
        return replace(base, model=model)  # says what can be chosen
    spec, standard = MODELS[model], ModelConfig()
    fields = {name: getattr(standard, name) for name in OF_SOME_MODELS if name not in spec.takes}
    if spec.has_heads and not MODELS[base.model].has_heads:
        fields["heads"] = usual_heads(base.hidden_channels)
    helping = [name for name in spec.remedies if depth > 1 or name != "jumping"]
    return replace(base, model=model, num_layers=depth, remedies=base.remedies.only(helping), **fields)


def usual_heads(channels: int) -> int:
    """Return how many heads share a width where nobody chose: 8, or the most below 17 that divide it."""
    fitting = [heads for heads in divisors(channels) if heads <= MOST_HEADS]
    return USUAL_HEADS if USUAL_HEADS in fitting else fitting[-1]


def of_one_recipe(base: RunConfig, configs: Sequence[RunConfig]) -> tuple[RunConfig, ...]:
    """Return the runs that may differ from `base` in model, depth and seed, and in nothing else.

    The device and its threads decide the last bits of a result only; of runs that differ in nothing but
    them one is kept, the first, so that no seed counts twice.
    """
    found: dict[tuple[ModelConfig, int], RunConfig] = {}
    for config in configs:
        model = config.model
        if is_trained_alike(base, config) and model == in_recipe(base.model, model.model, model.num_layers):
            found.setdefault((config.model, config.training.seed), config)
    return tuple(found.values())


def is_trained_alike(base: RunConfig, config: RunConfig) -> bool:
    """Return whether two runs have the same data and training, whatever their models and seeds.

    The device and its threads decide the last bits of a result only.
    """
    return (
        config.dataset == base.dataset
        and config.format_version == base.format_version
        and replace(config.training, seed=base.training.seed) == base.training
    )


def sweep_plan(known: Mapping[RunConfig, RunStatus], configs: Sequence[RunConfig]) -> SweepPlan:
    """Return which runs of a sweep are done, active, stopped or new.

    Args:
        known: all runs and how far each has come, as `RunStore.look` says.
        configs: the runs of the sweep.
    """
    wanted = tuple(dict.fromkeys(configs))
    statuses = {run: known[run] for run in wanted if run in known}
    states = {run: status.state for run, status in statuses.items()}
    paused = [run for run, status in statuses.items() if status.word == PAUSED]
    return SweepPlan(
        done=tuple(run for run, state in states.items() if state is RunState.DONE),
        active=tuple(run for run, state in states.items() if state.is_active),
        stopped=tuple(
            run for run, state in states.items() if state is not RunState.DONE and not state.is_active
        ),
        new=tuple(run for run in wanted if run not in states),
        paused=tuple(sorted(paused, key=lambda run: statuses[run].queued_at)),
        statuses=statuses,
    )


def to_start(known: Mapping[RunConfig, RunStatus], configs: Sequence[RunConfig]) -> tuple[RunConfig, ...]:
    """Return the runs that were never asked for, or were cut off; what the user stopped stays stopped.

    The shallowest comes first, for there is something to see at once; then the deepest, which takes longest
    and would otherwise be waited for alone; then the others from shallow to deep.
    """
    plan = sweep_plan(known, configs)
    cut_off = [run for run in plan.stopped if plan.statuses[run].state is RunState.INTERRUPTED]
    wanted = sorted([*plan.new, *cut_off], key=lambda config: config.model.num_layers)
    return (*wanted[:1], *wanted[:1:-1][:1], *wanted[1:2], *wanted[2:-1])


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


def sweep_seconds_left(active: Mapping[RunConfig, RunStatus], workers: int) -> float | None:
    """Return the seconds until all runs have ended, from the time that one layer took in one epoch.

    Args:
        active: the runs that have not ended, and how far each has come.
        workers: how many of them train at a time.

    Returns:
        An estimate, or None before the first epoch of any run.
    """
    paces = [
        status.seconds / (status.epochs_done * run.model.num_layers)
        for run, status in active.items()
        if status.epochs_done and status.seconds
    ]
    if not paces:
        return None
    layers_left = sum(
        run.model.num_layers * (run.training.epochs - status.epochs_done) for run, status in active.items()
    )
    return median(paces) * layers_left / workers


def seconds_to_train(
    configs: Sequence[RunConfig], known: Sequence[tuple[RunConfig, RunStatus]], workers: int
) -> float | None:
    """Return the seconds that runs will take, from the time that known ones took for a layer and epoch.

    Args:
        configs: the runs to be trained, from their first epoch.
        known: runs and how far they have come, on a graph of about the same size.
        workers: how many runs train at a time.

    Returns:
        An estimate, 0 for no runs; None where no epoch is known. A model that is not among the known ones
        is taken to be as quick as the others.
    """
    paces: dict[str, list[float]] = {}
    for config, status in known:
        if status.epochs_done and status.seconds:
            pace = status.seconds / (status.epochs_done * config.model.num_layers)
            paces.setdefault(config.model.model, []).append(pace)
    if not paces:
        return None
    usual = median(pace for group in paces.values() for pace in group)
    each = [
        config.model.num_layers * config.training.epochs * median(paces.get(config.model.model, [usual]))
        for config in configs
    ]
    return max(sum(each) / workers, max(each, default=0.0))  # the longest run has one worker only


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
