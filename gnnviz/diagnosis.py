"""Why a deep network fails, or that it does not: one of `VERDICTS`, its evidence, and what would decide.

`explain` weighs the evidence of `gnnviz.diagnosis_evidence`. A verdict is a reading of numbers, not a proof:
`confident` says whether they agree, and the experiment is what would show it wrong. Knows no file and no
network; `gnnviz.engine.verdicts` gathers the facts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gnnviz.diagnosis_evidence import PART_OF_TRAINING, evidence_of
from gnnviz.diagnosis_experiments import Experiment, experiment_for
from gnnviz.diagnosis_facts import RunFacts
from gnnviz.diagnosis_rule import FAILURES, Evidence, Verdict
from gnnviz.figures.layout import NARROW_SPACE, percent, significant
from gnnviz.findings import model_phrase

SURE_OF_TEST = 0.5  # skill: clearly above the least that works
SURE_OF_KEPT = 0.1  # a share kept this close to the threshold could fall on its other side with another seed
SURELY_FALLING = 0.001  # of the training loss in one epoch: at that pace it halves in 700, a usual length
SIGNS_OF_DEATH = 2  # signs that agree; one alone can have a reason of its own
MANY_SIGNS = 3  # so thorough a death that rows in the limit or a lucky training set do not speak against it
LEARNED = 0.9  # training skill, from which on there is little left that a longer training could add
LEARNS_SOMETHING = 0.25  # training skill, below which there is nothing that could be learned by heart
# What alone shows that no signal passes; the other signs only say why that may be.
DEADLY = ("flat", "gradient", "shrunk", "dead", "exploded")
REASONS = ("decay", "faded", "start", "control")
SIGNS = (*DEADLY, *REASONS)


@dataclass(frozen=True, slots=True)
class VerdictSpec:
    """What the user is told about a verdict.

    Attributes:
        label: a noun.
        headline: what the run does, after its name.
        hedged: the same where the evidence does not agree.
        help: what it means, in one line.
    """

    label: str
    headline: str
    hedged: str
    help: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a run's numbers say about why it does what it does.

    Attributes:
        verdict: a key of `VERDICTS`.
        sentence: what the run does, without its full stop.
        because: the numbers that decided, likewise.
        evidence: what was weighed.
        confident: whether the evidence agrees.
        experiment: the runs that would decide, or None where none is left.
    """

    verdict: Verdict
    sentence: str
    because: str
    evidence: tuple[Evidence, ...]
    confident: bool
    experiment: Experiment | None


def explain(facts: RunFacts) -> Diagnosis:
    """Return why a run works or fails, as far as its numbers say."""
    if facts.test_skill is None or facts.train_skill is None:
        part = "test" if facts.test_skill is None else "training"
        why = f"All {part} nodes are of one class, so that guessing is always right"
        return Diagnosis("mixed", "Accuracy says nothing about this run", why, (), False, None)
    evidence = evidence_of(facts)
    verdict, confident = _weigh(_Scales(evidence, len(facts.history)))
    spec = VERDICTS[verdict]
    does = spec.headline if confident else spec.hedged
    return Diagnosis(
        verdict=verdict,
        sentence=f"{model_phrase(facts.config)} {does}",
        because=_because(verdict, facts, evidence),
        evidence=evidence,
        confident=confident,
        experiment=experiment_for(verdict, facts),
    )


def evidence_table(evidence: tuple[Evidence, ...]) -> dict[str, list[str]]:
    """Return the evidence as columns of text: what, value, threshold, speaks for."""
    return {
        "What": [item.text for item in evidence],
        "Value": [_written(item, item.number) for item in evidence],
        "Threshold": [_bound(item) for item in evidence],
        "Speaks for": [_spoken_for(item) for item in evidence],
    }


class _Scales:
    """The evidence by the names of its rules."""

    def __init__(self, evidence: tuple[Evidence, ...], epochs: int) -> None:
        self._epochs = epochs
        self._items = {item.name: item for item in evidence}

    def says(self, verdict: Verdict, *names: str) -> int:
        """Return how many of the named rules speak for a verdict."""
        return sum(name in self._items and verdict in self._items[name].supports for name in names)

    def number(self, name: str) -> float:
        """Return what a rule measured; 0 where it has no value."""
        return self._items[name].number if name in self._items else 0.0

    @property
    def margin(self) -> float:
        """How far the share kept is from its threshold."""
        return abs(self.number("kept") - self._items["kept"].threshold) if "kept" in self._items else 0.0

    @property
    def pace(self) -> float:
        """Which share of the training loss an epoch at the end takes off."""
        return self.number("falling") / math.ceil(self._epochs / PART_OF_TRAINING)


def _weigh(scales: _Scales) -> tuple[Verdict, bool]:
    """Return the verdict, and whether the evidence agrees on it."""
    if scales.says("works", "test") and scales.says("works", "kept"):
        if scales.number("train") < LEARNED and _begins(scales):
            return "under_trained", False
        return "works", scales.number("test") >= SURE_OF_TEST and scales.margin >= SURE_OF_KEPT
    # The state is in the limit, averaging is enough to have brought it there, and no bias has: where the
    # limit is equal rows, a layer that gives all nodes its bias is in it, too.
    in_limit = scales.says("over_smoothing", "aligned", "averaged") == 2
    smooth = in_limit and not scales.says("signal_death", "flat")
    dies = bool(scales.says("signal_death", *DEADLY))
    signs = scales.says("signal_death", *SIGNS)
    fits = scales.says("works", "train")
    if dies and (smooth or fits):
        if signs >= MANY_SIGNS or (scales.says("signal_death", "exploded") and not fits):
            return "signal_death", False
        return _weigh_fitting(scales, smooth=smooth, dies=True) if fits else ("mixed", False)
    if fits:
        return _weigh_fitting(scales, smooth=smooth, dies=False)
    if dies:
        return "signal_death", signs >= SIGNS_OF_DEATH and not scales.says("over_smoothing", "control")
    if smooth:
        against = scales.says("under_trained", "falling", "moved")
        against += scales.says("signal_death", *REASONS, "outside", "energy")
        return "over_smoothing", not against
    return _weigh_learning(scales)


def _begins(scales: _Scales) -> bool:
    """Return whether the losses still fall, and the weights are not far from where they began."""
    return scales.says("under_trained", "falling", "moved") == 2


def _weigh_fitting(scales: _Scales, *, smooth: bool, dies: bool) -> tuple[Verdict, bool]:
    """Return the verdict on a run that fits its training nodes and fails on the test nodes."""
    if smooth and not dies:
        return "over_smoothing", scales.margin >= SURE_OF_KEPT
    by_heart = bool(scales.says("over_fitting", "kept")) and not smooth
    clearly = by_heart and scales.margin >= SURE_OF_KEPT
    learns = scales.says("under_trained", "falling") and scales.number("train") < LEARNED
    if _begins(scales) or (learns and not clearly and not dies):
        return "under_trained", False
    return ("over_fitting" if by_heart else "mixed"), clearly and not dies


def _weigh_learning(scales: _Scales) -> tuple[Verdict, bool]:
    """Return the verdict on a run that fits nothing, though its signal passes and its rows differ."""
    if scales.says("under_trained", "falling"):
        return "under_trained", scales.pace >= SURELY_FALLING
    if scales.says("under_trained", "moved"):
        return "under_trained", False
    if scales.number("train") < LEARNS_SOMETHING:
        # No layer shows it, but nothing is learned, and weight decay has been the stronger from the start.
        decays = scales.says("signal_death", "decay") and not scales.says("over_smoothing", "control")
        return ("signal_death" if decays else "mixed"), False
    return ("over_fitting" if scales.says("over_fitting", "kept", "rises") == 2 else "mixed"), False


def _because(verdict: Verdict, facts: RunFacts, evidence: tuple[Evidence, ...]) -> str:
    """Return the numbers that decided."""
    best, last = facts.at_best.train_acc, facts.history[-1].train_acc
    when = ", at its end," if last > best else ""
    train, test = percent(facts.train_chance.majority), percent(facts.test_chance.majority)
    told = [
        f"It gets {percent(max(best, last))} of the training nodes right{when} and "
        f"{percent(facts.best.test_acc)} of the test nodes; guessing the largest class gives {train} and "
        f"{test}"
    ]
    found = {item.name: item for item in evidence}
    told += [
        f"{clause}: {_written(found[name], found[name].number)}"
        for name, clause in _CLAUSES.get(verdict, {}).items()
        if name in found and verdict in found[name].supports
    ]
    return "; ".join(told)


def _written(item: Evidence, number: float) -> str:
    if item.is_share:
        return percent(number)
    return significant(number) if number else "0"


def _bound(item: Evidence) -> str:
    threshold = f"{100 * item.threshold:g}{NARROW_SPACE}%" if item.is_share else f"{item.threshold:g}"
    return f"{item.bound} {threshold}"


def _spoken_for(item: Evidence) -> str:
    if not item.supports:
        return "none"
    if item.supports == FAILURES:
        return "a failure of some kind"
    return ", ".join(VERDICTS[verdict].label.lower() for verdict in item.supports)


_CLAUSES: dict[Verdict, dict[str, str]] = {
    "over_smoothing": {"aligned": "share of the state in the limit of averaging"},
    "signal_death": {
        "flat": "least share of a layer's state that tells nodes apart",
        "gradient": "weakest gradient over the strongest",
        "shrunk": "least share of a layer's weights that is left",
        "exploded": "largest size of a value",
        "dead": "silent nodes",
        "decay": "least gradient over the pull of weight decay, in the first epoch",
    },
    "under_trained": {
        "falling": "training loss lost in the last fifth of the epochs",
        "moved": "learning rate times epochs, the farthest that a weight can have moved",
    },
}

VERDICTS: dict[Verdict, VerdictSpec] = {
    "works": VerdictSpec(
        label="Works",
        headline="works",
        hedged="probably works",
        help="It learns the training nodes, and keeps most of that on nodes it has not seen.",
    ),
    "over_smoothing": VerdictSpec(
        label="Over-smoothing",
        headline="smooths its nodes together",
        hedged="probably smooths its nodes together",
        help="Averaging over neighbours has made all nodes of a component alike, and the signal is not lost.",
    ),
    "signal_death": VerdictSpec(
        label="Dead signal",
        headline="loses its signal on the way",
        hedged="probably loses its signal on the way",
        help="Signal or gradient vanishes, explodes, or gives way to biases that are the same for every "
        "node; averaging is not what loses it.",
    ),
    "over_fitting": VerdictSpec(
        label="Over-fitting",
        headline="learns the training nodes by heart",
        hedged="probably learns the training nodes by heart",
        help="The training nodes are learned, the states tell nodes apart, and the test nodes are wrong.",
    ),
    "under_trained": VerdictSpec(
        label="Under-trained",
        headline="was stopped too soon",
        hedged="was probably stopped too soon",
        help="The training nodes are not learned yet, and both losses still fall at the end, or no weight "
        "can have moved far.",
    ),
    "mixed": VerdictSpec(
        label="Mixed evidence",
        headline="gives mixed evidence",
        hedged="gives mixed evidence",
        help="The numbers fit no explanation, or more than one; the experiment would tell them apart.",
    ),
}
