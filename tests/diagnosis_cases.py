"""Runs made by hand whose numbers call for a verdict, for the tests of the diagnosis."""

from dataclasses import replace

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.diagnosis_facts import RunFacts, StateFacts
from gnnviz.figures.layout import Chance
from gnnviz.models import ModelConfig
from gnnviz.records import BestEpoch, EpochRecord

CHANCE = Chance(majority=0.3, uniform=0.2)
DISTINCT = StateFacts(size=1.0, dead=0.0, spread=0.6, aligned=0.4, energy=0.02, rank=5.0, mad=0.1)
CONSTANT = replace(DISTINCT, spread=1e-9, aligned=0.9, rank=1.0, mad=1e-9)
SMOOTHED = replace(DISTINCT, spread=0.2, aligned=0.99, energy=1e-5, rank=1.5, mad=1e-5)
AVERAGED = StateFacts(size=0.1, dead=0.0, spread=0.5, aligned=0.9, energy=1e-3)


def run(model="gcn", depth=4, **training):
    return RunConfig(DatasetSpec(), ModelConfig(model, num_layers=depth), TrainConfig(**training))


def record(epoch, train, test, loss, val_loss, gradients):
    return EpochRecord(
        epoch, loss, loss, val_loss, 1.0, train, test, test, gradients, (5.0,) * len(gradients), 0.01
    )


def facts(
    train=0.95,
    test=0.8,
    state=DISTINCT,
    config=None,
    *,
    losses=(1.9, 0.5, 0.5, 0.5, 0.5, 0.5),
    val_losses=(1.9, 0.7, 0.7, 0.7, 0.7, 0.7),
    gradients=(0.1, 0.1, 0.1, 0.1),
    averaged=AVERAGED,
    untrained=DISTINCT,
    control=None,
    lucky_end=None,
):
    config = config or run()
    states, gradients = config.model.num_states, gradients[: config.model.num_states]
    history = tuple(
        record(epoch, train, test, loss, val_loss, gradients)
        for epoch, (loss, val_loss) in enumerate(zip(losses, val_losses, strict=True), 1)
    )
    if lucky_end is not None:
        history = (*history[:-1], replace(history[-1], train_acc=lucky_end))
    return RunFacts(
        config=config,
        history=history,
        best=BestEpoch(2, test, val_losses[1], test),
        train_chance=CHANCE,
        test_chance=CHANCE,
        trained=(state,) * states,
        untrained=(untrained,) * states,
        averaged=averaged,
        control=None if control is None else record(2, control, control, 1.0, 1.0, (0.1,)),
    )


FALLING = (1.9, 1.8, 1.7, 1.6, 1.5, 1.4)
RISING = (1.9, 0.7, 0.8, 0.9, 1.0, 1.1)
DECAY_WINS = (1e-9, 0.1, 0.1, 0.1)
CASES = {
    "learns and keeps it": (facts(), "works", True),
    "barely": (facts(0.95, 0.65), "works", False),
    "smoothed and works all the same": (facts(state=SMOOTHED), "works", True),
    "one row for all nodes": (facts(0.3, 0.3, CONSTANT, gradients=DECAY_WINS), "signal_death", True),
    "one row and a healthy gradient": (facts(0.3, 0.3, CONSTANT), "signal_death", False),
    "no gradient only": (facts(0.3, 0.3, gradients=(0.0, 0.1, 0.1, 0.1)), "signal_death", True),
    "silent nodes": (facts(0.3, 0.3, replace(DISTINCT, dead=0.9)), "signal_death", False),
    "silent net": (
        facts(0.3, 0.3, StateFacts(size=0.0, dead=1.0), gradients=(0.0,) * 4),
        "signal_death",
        True,
    ),
    "explodes": (facts(0.3, 0.3, replace(DISTINCT, size=1e6)), "signal_death", False),
    "dies although it still falls": (
        facts(0.4, 0.3, CONSTANT, losses=FALLING, val_losses=FALLING, gradients=DECAY_WINS),
        "signal_death",
        True,
    ),
    "in the limit, at chance": (facts(0.4, 0.35, SMOOTHED), "over_smoothing", True),
    "in the limit, fits": (facts(0.95, 0.4, SMOOTHED), "over_smoothing", True),
    "in the limit, and no control learns": (facts(0.4, 0.35, SMOOTHED, control=0.3), "over_smoothing", False),
    "in the limit, and the control learns": (facts(0.4, 0.35, SMOOTHED, control=1.0), "over_smoothing", True),
    "aligned, but not by averaging": (
        facts(0.4, 0.35, SMOOTHED, averaged=replace(AVERAGED, aligned=0.5)),
        "mixed",
        False,
    ),
    "by heart": (facts(1.0, 0.5), "over_fitting", True),
    "by heart, nearly works": (facts(1.0, 0.62), "over_fitting", False),
    "by heart, not all of it": (facts(0.6, 0.35, val_losses=RISING), "over_fitting", False),
    "stopped soon": (facts(0.5, 0.4, losses=FALLING, val_losses=FALLING), "under_trained", True),
    "falls in training only": (facts(0.45, 0.4, losses=FALLING, val_losses=RISING), "mixed", False),
    "both dead and smoothed": (
        facts(0.3, 0.3, SMOOTHED, gradients=(1e-9, 0.1, 0.1, 0.1)),
        "mixed",
        False,
    ),
    "nothing to be seen": (facts(0.4, 0.35), "mixed", False),
    "no step long enough": (facts(0.4, 0.35, config=run(learning_rate=1e-4)), "under_trained", False),
    "begins, and is above chance": (
        facts(0.8, 0.65, config=run(learning_rate=5e-3), losses=FALLING, val_losses=FALLING),
        "under_trained",
        False,
    ),
    "begins, and has learned all": (
        facts(1.0, 0.8, config=run(learning_rate=5e-3), losses=FALLING, val_losses=FALLING),
        "works",
        True,
    ),
    "begins by heart": (
        facts(0.8, 0.4, config=run(learning_rate=5e-3), losses=FALLING, val_losses=FALLING),
        "under_trained",
        False,
    ),
    "halfway, and still falls": (
        facts(0.7, 0.54, losses=FALLING, val_losses=FALLING),
        "under_trained",
        False,
    ),
    "halfway, and falls no more": (facts(0.7, 0.54), "mixed", False),
    "smoothed, but hardly trained": (
        facts(0.4, 0.35, SMOOTHED, config=run(learning_rate=1e-3)),
        "over_smoothing",
        False,
    ),
    "in the limit, but not by averaging": (
        facts(0.4, 0.35, replace(SMOOTHED, aligned=0.999)),
        "over_smoothing",
        False,
    ),
    "in the limit, but far from averaging alone": (
        facts(0.4, 0.35, SMOOTHED, averaged=replace(AVERAGED, energy=1e-7)),
        "over_smoothing",
        False,
    ),
    "in the limit, and faded from the start": (
        replace(
            facts(0.4, 0.35, SMOOTHED), untrained=(*(DISTINCT,) * 2, *(replace(DISTINCT, size=1e-4),) * 2)
        ),
        "over_smoothing",
        False,
    ),
    "dead in many ways, and smoothed": (
        facts(0.3, 0.3, replace(SMOOTHED, size=1e-5), gradients=DECAY_WINS),
        "signal_death",
        False,
    ),
    "dead, and fits two nodes by luck": (
        facts(0.3, 0.3, replace(CONSTANT, size=1e-5), gradients=DECAY_WINS, lucky_end=1.0),
        "signal_death",
        False,
    ),
    "decay wins, but the control learns": (
        facts(0.32, 0.3, gradients=(1e-4, 0.1, 0.1, 0.1), control=1.0),
        "mixed",
        False,
    ),
    "decay wins, and nothing shows it yet": (
        facts(0.32, 0.3, gradients=(1e-4, 0.1, 0.1, 0.1)),
        "signal_death",
        False,
    ),
}
