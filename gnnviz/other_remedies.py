"""The same recipe with other remedies: one row of accuracies against depth for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import mean

from gnnviz.config import RunConfig
from gnnviz.published import Published
from gnnviz.run_status import RunStatus
from gnnviz.runs import RunState
from gnnviz.sweeps import in_recipe

PLAIN = "no remedy"


def rows_with_other_remedies(
    base: RunConfig, configs: Sequence[RunConfig], statuses: Sequence[RunStatus]
) -> tuple[Published, ...]:
    """Return the mean test accuracy against depth of runs that differ from `base` in remedies, too.

    Args:
        base: the recipe; its own remedies are left out.
        configs: runs of any kind.
        statuses: where each stands; only finished ones count.
    """
    own = base.model.remedies
    found: dict[str, dict[int, list[float]]] = {}
    for config, status in zip(configs, statuses, strict=True):
        model = config.model
        like_base = replace(
            in_recipe(base.model, base.model.model, model.num_layers), remedies=model.remedies
        )
        expected = replace(
            base,
            model=like_base,
            training=replace(base.training, seed=config.training.seed),
            device=config.device,
            threads=config.threads,
        )
        if (
            config != expected
            or model.remedies == own
            or status.state is not RunState.DONE
            or not status.best
        ):
            continue
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
