"""What is known about a model at each depth, and the sentence that follows from it.

The sentence says what was measured; it claims nothing about the cause, nor about what is still to come.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gnnviz.errors import ConfigError
from gnnviz.figures.layout import Chance, listed, percent
from gnnviz.models import MODELS

# Within this of the majority share, an accuracy counts as "no better": about the standard error of
# a share measured on 1,000 test nodes (0.015), rounded up.
NO_BETTER = 0.02
# Accuracies closer together than this are not called a difference.
NO_DIFFERENCE = 0.05


@dataclass(frozen=True, slots=True)
class DepthPoint:
    """What is known about one model at one depth.

    Attributes:
        depth: number of layers, 1 or more.
        accuracies: test accuracy of each finished run (one per seed), in 0..1; () if none is finished.
        live: test accuracy of a run that is still training, in 0..1, or None.
        smoothness: the measure of each finished run, () if it was not computed.
        model: a key of `MODELS`.
    """

    depth: int
    accuracies: tuple[float, ...] = ()
    live: float | None = None
    smoothness: tuple[float, ...] = ()
    model: str = "gcn"

    @property
    def accuracy(self) -> float:
        """The mean over the finished runs, in 0..1; NaN if there are none."""
        return float(np.mean(self.accuracies)) if self.accuracies else math.nan


def depth_finding(points: Sequence[DepthPoint], expected_depths: Sequence[int], chance: Chance) -> str:
    """Return the sentence that the finished depths of one model support, and nothing beyond.

    Args:
        points: the points of one model, in any order.
        expected_depths: all the depths that were asked for.
        chance: the accuracies without learning, on the test nodes.

    Raises:
        ConfigError: points of more than one model.
    """
    models = {point.model for point in points}
    if len(models) > 1:
        raise ConfigError(f"got points of {listed(sorted(models))}; give the points of one model")
    done = sorted((point for point in points if point.accuracies), key=lambda point: point.depth)
    pending = sorted(set(expected_depths) - {point.depth for point in done})
    if not done:
        return _nothing_yet(any(point.live is not None for point in points), pending)
    label = f"this {MODELS[done[0].model].label}"
    if len(done) == 1:
        sentence = (
            f"with {_layers(done[0].depth)} {label} gets {percent(done[0].accuracy)} of the test nodes right"
        )
    else:
        sentence = _trend(done, chance, label)
    runs = f" (means of {runs_in_words(done)})" if max(len(point.accuracies) for point in done) > 1 else ""
    if pending:
        return f"So far, {sentence}{runs}; {_still_to_come(pending)}."
    return f"{sentence[0].upper()}{sentence[1:]}{runs}."


def _nothing_yet(training: bool, pending: Sequence[int]) -> str:
    state = "The first run is still training" if training else "No run is finished yet"
    depths = f"with {_each(pending)}" if pending else "of each depth"
    return f"{state}: the accuracy {depths} will appear here."


def _trend(done: Sequence[DepthPoint], chance: Chance, label: str) -> str:
    """Return the clause for two or more finished depths, ascending."""
    first, last = done[0], done[-1]
    best = max(done, key=lambda point: point.accuracy)
    worst = min(done, key=lambda point: point.accuracy)
    guess = f"always guessing the largest class ({percent(chance.majority)})"
    lost = _lost_depths(done, chance)
    if len(lost) == len(done):
        return f"{label} does no better than {guess} at any depth from {first.depth} to {_layers(last.depth)}"
    if lost:
        start = f"from {lost[0]} layers on" if len(lost) > 1 else f"with {lost[0]} layers"
        compared = (
            f"{percent(best.accuracy)} with {_layers(best.depth)}, {percent(last.accuracy)} with {last.depth}"
        )
        return f"{start} {label} does no better than {guess}: {compared}"
    if best.accuracy - worst.accuracy < NO_DIFFERENCE:
        between = f"between {percent(worst.accuracy)} and {percent(best.accuracy)}"
        return (
            f"depth makes little difference to {label}: {between} from {first.depth} to {_layers(last.depth)}"
        )
    ends = (
        f"{percent(first.accuracy)} with {_layers(first.depth)}, {percent(last.accuracy)} with {last.depth}"
    )
    if (best, worst) == (first, last):
        return f"{label} gets worse with depth: {ends}"
    if (best, worst) == (last, first):
        return f"{label} gets better with depth: {ends}"
    at_best = f"best with {_layers(best.depth)} ({percent(best.accuracy)})"
    return f"{label} is {at_best} and worst with {worst.depth} ({percent(worst.accuracy)})"


def _lost_depths(done: Sequence[DepthPoint], chance: Chance) -> list[int]:
    """Return the deepest depths, ascending, that are all no better than the largest class."""
    lost: list[int] = []
    for point in reversed(done):
        if point.accuracy > chance.majority + NO_BETTER:
            break
        lost.insert(0, point.depth)
    return lost


def runs_in_words(done: Sequence[DepthPoint]) -> str:
    """Return how many runs stand behind each of these points, "2 to 5 runs per depth"."""
    numbers = sorted({len(point.accuracies) for point in done})
    if len(numbers) > 1:
        return f"{numbers[0]} to {numbers[-1]} runs per depth"
    return "one run per depth" if numbers[0] == 1 else f"{numbers[0]} runs per depth"


def _layers(depth: int) -> str:
    return "1 layer" if depth == 1 else f"{depth} layers"


def _each(depths: Sequence[int]) -> str:
    return f"{listed(depths)} {'layer' if list(depths) == [1] else 'layers'}"


def _still_to_come(depths: Sequence[int]) -> str:
    if len(depths) == 1:
        return f"depth {depths[0]} is still to come"
    return f"depths {listed(depths)} are still to come"
