"""What a run is judged by: `RunFacts`.

`gnnviz.engine.verdicts` gathers them, `gnnviz.diagnosis` weighs them.
"""

from __future__ import annotations

from dataclasses import dataclass

from gnnviz.config import RunConfig
from gnnviz.figures.layout import Chance
from gnnviz.models import MODELS
from gnnviz.records import BestEpoch, EpochRecord


@dataclass(frozen=True, slots=True)
class StateFacts:
    """What is known of one hidden state [N, d]; None where a measure has no value.

    Attributes:
        size: root mean square of its values, 0 or more.
        dead: share of nodes whose row is zero, in 0..1.
        spread: share of |X|^2 that is not the same row for all nodes, in 0..1.
        aligned: share of |X|^2 in the space that the model's averaging leads to, in 0..1.
        energy: the normalised energy that fits the model, 0 or more.
        rank: effective rank, 1 or more.
        mad: mean cosine distance of neighbours, in 0..2.
    """

    size: float
    dead: float
    spread: float | None = None
    aligned: float | None = None
    energy: float | None = None
    rank: float | None = None
    mad: float | None = None


@dataclass(frozen=True, slots=True)
class RunFacts:
    """All that a run is judged by.

    Attributes:
        config: what was trained.
        history: its epochs, at least one.
        best: the epoch that validation chose.
        train_chance: accuracies that need no learning, on the training nodes.
        test_chance: likewise on the test nodes.
        trained: states 1 to num_states at the best epoch.
        untrained: likewise before the first step.
        averaged: the features after as many steps of averaging as lie before the last hidden state, without
            weights; None for a model that does not see the edges, or a graph without any.
        control: the best epoch of the run without edges at the same depth, if it was trained.
    """

    config: RunConfig
    history: tuple[EpochRecord, ...]
    best: BestEpoch
    train_chance: Chance
    test_chance: Chance
    trained: tuple[StateFacts, ...]
    untrained: tuple[StateFacts, ...]
    averaged: StateFacts | None = None
    control: EpochRecord | None = None

    @property
    def train_skill(self) -> float | None:
        """The better of the skills on the training nodes at the best and at the last epoch."""
        reached = max(self.at_best.train_acc, self.history[-1].train_acc)
        return skill(reached, self.train_chance)

    @property
    def test_skill(self) -> float | None:
        """The skill on the test nodes at the best epoch."""
        return skill(self.best.test_acc, self.test_chance)

    @property
    def at_best(self) -> EpochRecord:
        """The record of the best epoch."""
        return next(record for record in self.history if record.epoch == self.best.epoch)

    @property
    def deepest(self) -> int:
        """Which of the states is the last hidden one; where class scores are smoothed, the last."""
        last = len(self.trained) - 1
        return last if MODELS[self.config.model.model].propagates else max(last - 1, 0)


def skill(accuracy: float, chance: Chance) -> float | None:
    """Return how far an accuracy is from guessing to perfect; None where guessing is perfect."""
    guessing = max(chance.majority, chance.uniform)
    return None if guessing >= 1 else (accuracy - guessing) / (1 - guessing)
