"""The same recipe with other remedies: one row of accuracies against depth for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import mean

from gnnviz.config import RunConfig
from gnnviz.published import Published
from gnnviz.run_status import RunStatus
from gnnviz.runs import RunState
from gnnviz.sweeps import in_recipe, is_trained_alike

PLAIN = "no remedy"


def with_other_remedies(base: RunConfig, configs: Sequence[RunConfig]) -> tuple[RunConfig, ...]:
    """Return the runs of the recipe and the model of `base` that have other remedies; depth and seed vary."""

    def differs_in_remedies(run: RunConfig) -> bool:
        plain = in_recipe(base.model, base.model.model, run.model.num_layers)
        return (
            run.model.remedies != base.model.remedies
            and is_trained_alike(base, run)
            and run.model == replace(plain, remedies=run.model.remedies)
        )

    return tuple(filter(differs_in_remedies, configs))


def rows_with_other_remedies(
    base: RunConfig, statuses: Mapping[RunConfig, RunStatus]
) -> tuple[Published, ...]:
    """Return the mean test accuracy against depth of runs that differ from `base` in remedies, too.

    Args:
        base: the recipe; its own remedies are left out.
        statuses: where runs of any kind stand; only finished ones count.
    """
    found: dict[str, dict[int, list[float]]] = {}
    for config in with_other_remedies(base, tuple(statuses)):
        status, model = statuses[config], config.model
        if status.state is RunState.DONE and status.best:
            by_depth = found.setdefault(model.remedies.label or PLAIN, {})
            by_depth.setdefault(model.num_layers, []).append(status.best.test_acc)
    return tuple(
        Published(
            label=label,
            accuracies=tuple((depth, mean(values)) for depth, values in sorted(by_depth.items())),
            source="finished runs here, of the same recipe but for the remedy",
            note=f"the mean over {_seeds(by_depth)}",
            model=base.model.model,
            kind="your runs",
        )
        for label, by_depth in sorted(found.items())
    )


def _seeds(by_depth: dict[int, list[float]]) -> str:
    counts = sorted({len(values) for values in by_depth.values()})
    if counts == [1]:
        return "one seed"
    return f"{counts[0]} seeds" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"
