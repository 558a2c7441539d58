"""What a sweep will take before it is queued: memory, disk and, from earlier runs, time.

Counts what training must hold, so the figures are estimates from below, within a factor of two or so. Knows
configurations and sizes; trains nothing and reads no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gnnviz.config import RunConfig
from gnnviz.models import ModelConfig

NUMBER = 4  # bytes of a float32
# Copies of the weights that a run keeps: at most 19 checkpoints, and a state with weights, the best ones and
# two moments of Adam.
KEPT_COPIES = 19 + 4
HELD_COPIES = 5  # weights, gradients, two moments, and the best epoch's weights
STATES_PER_LAYER = 6  # product, sum, activation, dropout's mask, and gradients on the way back
# Of dense attention, arrays [heads, N, N] in each layer: scores, coefficients, and what dropout left of them.
DENSE_STATES = 3
BYTES_PER_EPOCH = 300  # of the history, and per layer:
BYTES_PER_LAYER = 45
WORKER_BYTES = 400e6  # a process with torch and Cora, measured
MANY_RUNS = 60  # beyond this, or these, a click too many costs hours
LONG_SECONDS = 3600.0
LARGEST_SHARE = 0.5  # of what is free


@dataclass(frozen=True, slots=True)
class SweepCost:
    """What runs will take.

    Attributes:
        runs: how many.
        seconds: until the last has ended; None where no run of the kind has been timed.
        memory: bytes while they train, so many at a time as there are workers.
        disk: bytes that they leave.
    """

    runs: int
    seconds: float | None
    memory: float
    disk: float

    def reasons_to_ask(self, free_memory: float, free_disk: float) -> tuple[str, ...]:
        """Return why this should be confirmed first, in words; () where it need not be."""
        reasons = {
            f"{self.runs} runs": self.runs > MANY_RUNS,
            "more than an hour": self.seconds is not None and self.seconds > LONG_SECONDS,
            "more than half of the free memory": self.memory > LARGEST_SHARE * free_memory,
            "more than half of the free disk": self.disk > LARGEST_SHARE * free_disk,
        }
        return tuple(reason for reason, holds in reasons.items() if holds)


def sweep_cost(
    configs: Sequence[RunConfig],
    seconds: float | None,
    workers: int,
    *,
    num_nodes: int,
    num_features: int,
    num_classes: int,
) -> SweepCost:
    """Return what the runs will take.

    Args:
        configs: the runs, all on one graph.
        seconds: as `gnnviz.sweeps.seconds_to_train` estimates.
        workers: how many train at a time.
        num_nodes: N of their graph.
        num_features: F.
        num_classes: C.
    """
    weights = [num_weights(config.model, num_features, num_classes) for config in configs]
    states = [_num_kept(config.model, num_nodes) for config in configs]
    held = sorted(
        (NUMBER * (HELD_COPIES * own + state) for own, state in zip(weights, states, strict=True)),
        reverse=True,
    )[:workers]
    written = [
        NUMBER * KEPT_COPIES * own
        + config.training.epochs * (BYTES_PER_EPOCH + BYTES_PER_LAYER * config.model.num_states)
        for own, config in zip(weights, configs, strict=True)
    ]
    return SweepCost(len(configs), seconds, sum(held) + WORKER_BYTES * len(held), float(sum(written)))


def _num_kept(model: ModelConfig, num_nodes: int) -> int:
    """Return how many numbers the layers keep for the way back."""
    kept = model.num_states * num_nodes * model.hidden_channels * STATES_PER_LAYER
    if model.attention_form == "dense":
        kept += model.num_layers * model.heads * num_nodes**2 * DENSE_STATES
    return kept


def num_weights(model: ModelConfig, num_features: int, num_classes: int) -> int:
    """Return about how many numbers a model learns: those of its maps, without biases.

    Args:
        model: the stack.
        num_features: F.
        num_classes: C.
    """
    maps = 2 if model.model in ("sage", "gatv2") else 1
    widths = [num_features] + [model.hidden_channels] * (model.num_states - 1) + [num_classes]
    if model.model == "sgc":
        return num_features * num_classes
    if model.model == "appnp":
        return model.hidden_channels * (num_features + num_classes)
    return maps * sum(left * right for left, right in pairwise(widths))
