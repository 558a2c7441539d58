"""What a run is judged by: `RunFacts`.

`gnnviz.engine.verdicts` gathers them, `gnnviz.diagnosis` weighs them.
"""

from __future__ import annotations

from dataclasses import dataclass

from gnnviz.config import RunConfig
from gnnviz.figures.layout import Chance
from gnnviz.models import MODELS
from gnnviz.records import BestEpoch, EpochRecord

# Skill is (accuracy - chance) / (1 - chance), chance being to guess the part's largest class: 0 is no
# better than guessing, 1 is perfect, whatever the classes' sizes.
FITS = 0.5  # half of what can be learned on the training nodes; training that works comes close to 1


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
            weights; after one where jumping hands on the first state, too. None for a model that does not
            see the edges, or a graph without any.
        features: what they were before any averaging; None where `averaged` is.
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
    features: StateFacts | None = None
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

    @property
    def jumps(self) -> bool:
        """Whether the classes are read from every hidden state: no single layer can lose the signal."""
        return self.config.model.remedies.jumping != "none"

    @property
    def has_shortcuts(self) -> bool:
        """Whether the signal has a way around all layers but the first and the last."""
        model = self.config.model
        return self.jumps or model.remedies.residual != "none" or model.model == "gcnii"

    @property
    def needed(self) -> tuple[int, ...]:
        """Which of the states all signal passes: each one; with jumping the liveliest one and the logits."""
        if not self.jumps:
            return tuple(range(len(self.trained)))
        hidden = self.trained[: self.deepest + 1]
        liveliest = min(
            range(len(hidden)), key=lambda place: (hidden[place].dead, -(hidden[place].spread or 0))
        )
        return liveliest, len(self.trained) - 1

    @property
    def read(self) -> tuple[StateFacts, ...]:
        """The hidden states that the classes are read from: the last one; with jumping all of them."""
        return self.trained[0 if self.jumps else self.deepest : self.deepest + 1]


def skill(accuracy: float, chance: Chance) -> float | None:
    """Return how far an accuracy is from guessing to perfect; None where guessing is perfect."""
    guessing = max(chance.majority, chance.uniform)
    return None if guessing >= 1 else (accuracy - guessing) / (1 - guessing)
