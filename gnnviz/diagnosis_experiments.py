"""The run that would decide between explanations: for each verdict what to train next, and what it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gnnviz.config import MAX_EPOCHS, RunConfig
from gnnviz.diagnosis_facts import RunFacts
from gnnviz.figures.layout import counted
from gnnviz.models import MAX_LAYERS, MODELS
from gnnviz.objectives import OBJECTIVES
from gnnviz.sweeps import in_recipe

LEAST_EPOCHS = 200  # what the papers train on graphs of this kind
MORE_EPOCHS = 4  # times as many: 15 more fifths, enough to see whether the fall goes on
USUAL_DROPOUT = 0.5  # of GCN's paper
USUAL_DECAY = 5e-4  # likewise


@dataclass(frozen=True, slots=True)
class Experiment:
    """Runs to train next.

    Attributes:
        configs: one run or two, none of them the run itself.
        label: what a button says.
        sentence: what each outcome would show.
    """

    configs: tuple[RunConfig, ...]
    label: str
    sentence: str


def control_of(config: RunConfig) -> RunConfig:
    """Return the run of the same depth and recipe that never looks at the edges."""
    model = in_recipe(config.model, "mlp", config.model.num_layers)
    if OBJECTIVES[config.training.objective].uses_pairs and not model.has_head:
        model = replace(model, remedies=replace(model.remedies, post_layers=1))
    training = replace(config.training, batch_size=None, fan_outs=())
    return replace(config, model=model, training=training)


def experiment_for(verdict: str, facts: RunFacts) -> Experiment | None:
    """Return the first experiment for a verdict that this run leaves to be made, or None.

    Args:
        verdict: a key of `gnnviz.diagnosis.VERDICTS`.
        facts: the run.
    """
    for propose in _PROPOSALS[verdict]:
        experiment = propose(facts)
        if experiment is not None:
            return experiment
    return None


def _without_regularisation(facts: RunFacts) -> Experiment | None:
    config = facts.config
    if not any((config.training.weight_decay, config.model.dropout, config.model.attention_dropout)):
        return None
    free = replace(
        config,
        model=replace(config.model, dropout=0.0, attention_dropout=0.0),
        training=replace(config.training, weight_decay=0.0),
    )
    control = control_of(config)
    with_control = facts.control is None and MODELS[config.model.model].uses_graph
    sentence = (
        "The same depth without weight decay and dropout averages just as much. If it learns, the signal "
        "and not the averaging was lost; if it does not, the initial weights or the depth are to blame."
    )
    more = " The control without edges shows whether the depth alone fails." if with_control else ""
    runs = (free, control) if with_control else (free,)
    label = f"Train it without decay and dropout{', and its control' if with_control else ''}"
    return Experiment(runs, label, sentence + more)


def _control(facts: RunFacts) -> Experiment | None:
    if facts.control is not None or not MODELS[facts.config.model.model].uses_graph:
        return None
    return Experiment(
        (control_of(facts.config),),
        "Train the control without edges",
        "The same depth and recipe without edges. If it does as well, the edges are not what decides here; "
        "if it does better, they do harm; if it does worse, they help.",
    )


def _with_edges(facts: RunFacts) -> Experiment | None:
    if MODELS[facts.config.model.model].uses_graph:
        return None
    model = in_recipe(facts.config.model, "gcn", facts.config.model.num_layers)
    return Experiment(
        (replace(facts.config, model=model),),
        "Train it with the edges, as a GCN",
        "The same recipe that may look at neighbours. If it does better on the test nodes, what was missing "
        "is in the edges.",
    )


def _residual(facts: RunFacts) -> Experiment | None:
    model = facts.config.model
    takes = "residual" in MODELS[model.model].remedies
    if not takes or model.remedies.residual != "none" or model.num_layers < 3:
        return None
    mixed = replace(model, remedies=replace(model.remedies, residual="initial"))
    return Experiment(
        (replace(facts.config, model=mixed),),
        "Train it with an initial residual",
        "The first hidden state, mixed into every layer, cannot be averaged away, and gives each layer a "
        "short way to the loss. If it helps, something of the first state was lost on the way.",
    )


def _first_state(facts: RunFacts) -> Experiment | None:
    if facts.config.model.model != "sgc":
        return None
    model = in_recipe(facts.config.model, "appnp", facts.config.model.num_layers)
    return Experiment(
        (replace(facts.config, model=model),),
        "Train APPNP of the same depth",
        "It averages as often, but mixes the scores from before the averaging into every step. If it works, "
        "it was the averaging that failed.",
    )


def _shallower(facts: RunFacts) -> Experiment | None:
    depth = facts.config.model.num_layers // 2
    if not depth:
        return None
    model = in_recipe(facts.config.model, facts.config.model.model, depth)
    fan_outs = facts.config.training.fan_outs[:depth]
    return Experiment(
        (replace(facts.config, model=model, training=replace(facts.config.training, fan_outs=fan_outs)),),
        f"Train it with {depth} layer{'' if depth == 1 else 's'}",
        "Half the depth and nothing else changed. If it does better, depth is the cause.",
    )


def _deeper(facts: RunFacts) -> Experiment | None:
    depth = 2 * facts.config.model.num_layers
    if depth > MAX_LAYERS or facts.config.training.fan_outs:
        return None
    model = in_recipe(facts.config.model, facts.config.model.model, depth)
    return Experiment(
        (replace(facts.config, model=model),),
        f"Train it with {depth} layers",
        "Twice the depth and nothing else changed: does the recipe still work there?",
    )


def _regularised(facts: RunFacts) -> Experiment | None:
    model, training = facts.config.model, facts.config.training
    if model.dropout >= USUAL_DROPOUT and training.weight_decay >= USUAL_DECAY:
        return None
    held = replace(
        facts.config,
        model=replace(model, dropout=max(model.dropout, USUAL_DROPOUT)),
        training=replace(training, weight_decay=max(training.weight_decay, USUAL_DECAY)),
    )
    return Experiment(
        (held,),
        f"Train it with dropout {held.model.dropout:g} and weight decay {held.training.weight_decay:g}",
        "What makes learning by heart harder. If the test nodes gain while the training nodes lose, it was "
        "over-fitting; if the test nodes stay, what they need is not in the features.",
    )


def _longer(facts: RunFacts) -> Experiment | None:
    training = facts.config.training
    epochs = min(max(MORE_EPOCHS * training.epochs, LEAST_EPOCHS), MAX_EPOCHS)
    if epochs <= training.epochs:
        return None
    return Experiment(
        (replace(facts.config, training=replace(training, epochs=epochs, patience=None)),),
        f"Train it for {counted(epochs)} epochs",
        "The same run, not stopped so soon. If it gets better, there was nothing wrong with it but its end; "
        "if its loss levels off as high, something else holds it.",
    )


_Proposal = Callable[[RunFacts], Experiment | None]
_PROPOSALS: dict[str, tuple[_Proposal, ...]] = {
    "works": (_control, _deeper, _with_edges),
    "over_smoothing": (_first_state, _residual, _shallower, _control),
    "signal_death": (_without_regularisation, _control, _residual, _shallower, _longer),
    "over_fitting": (_regularised, _with_edges, _control, _shallower),
    "under_trained": (_longer, _without_regularisation),
    "mixed": (_control, _without_regularisation, _longer, _shallower),
}
