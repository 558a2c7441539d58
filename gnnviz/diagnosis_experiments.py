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
USUAL_RATE = 0.01  # of GCN's paper
GREAT_RATE = 0.1  # a step of which is as long as a weight is large, so that nothing learned survives it
SMALL_RATE = 1e-3  # below, a hundred epochs move no weight by its own size
USUAL_DROPOUT = 0.5  # likewise
USUAL_DECAY = 5e-4  # likewise
LINEAR_LAYERS = {"sgc": 1, "appnp": 2}  # that make the class scores, which are then only averaged


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
    with_control = _has_control(facts)
    sentence = (
        "The same depth without weight decay and dropout averages just as much. If it learns, the signal "
        "and not the averaging was lost; if it does not, the initial weights or the depth are to blame."
    )
    more = " The control without edges shows whether the depth alone fails." if with_control else ""
    runs = (free, control) if with_control else (free,)
    label = f"Train it without decay and dropout{', and its control' if with_control else ''}"
    return Experiment(runs, label, sentence + more)


def _has_control(facts: RunFacts) -> bool:
    """Return whether a control is missing that could tell something.

    Where the layers have no weights it could not: as many layers with weights are another network.
    """
    spec = MODELS[facts.config.model.model]
    return facts.control is None and spec.uses_graph and not spec.propagates


def _control(facts: RunFacts) -> Experiment | None:
    if not _has_control(facts):
        return None
    return Experiment(
        (control_of(facts.config),),
        "Train the control without edges",
        "The same depth and recipe without edges. If it does as well, the edges are not what decides here; "
        "if it does better, they do harm; if it does worse, they help.",
    )


def _not_averaged(facts: RunFacts) -> Experiment | None:
    model = facts.config.model
    if model.model not in LINEAR_LAYERS:
        return None
    return Experiment(
        (replace(facts.config, model=in_recipe(model, "mlp", LINEAR_LAYERS[model.model])),),
        "Train it without its averaging",
        "The linear layers before the averaging, and nothing else. If they do as well, the edges are not "
        "what decides here; if they do better, averaging does harm; if they do worse, it helps.",
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


def _averaging_alone(facts: RunFacts) -> Experiment | None:
    model = facts.config.model
    if model.model != "gcn" or model.normalisation != "sym" or model.remedies.changed():
        return None
    return Experiment(
        (replace(facts.config, model=in_recipe(model, "sgc", model.num_layers)),),
        "Train SGC of the same depth",
        "It averages as often, with one linear map before and nothing between. If it fails as well, "
        "averaging explains it; if it learns, weights and activations have lost what averaging leaves.",
    )


def _gentler(facts: RunFacts) -> Experiment | None:
    if facts.config.training.learning_rate < GREAT_RATE:
        return None
    return _at_usual_rate(
        facts,
        "The same run in smaller steps. If it learns, its steps were too long, and neither depth nor "
        "averaging is to blame.",
    )


def _faster(facts: RunFacts) -> Experiment | None:
    if facts.config.training.learning_rate >= SMALL_RATE:
        return None
    return _at_usual_rate(
        facts,
        "The same run in longer steps. If it learns, it was only too slow; if not, something else holds it.",
    )


def _at_usual_rate(facts: RunFacts, sentence: str) -> Experiment:
    config = facts.config
    usual = replace(config, training=replace(config.training, learning_rate=USUAL_RATE))
    return Experiment((usual,), f"Train it with learning rate {USUAL_RATE:g}", sentence)


def _normalised(facts: RunFacts) -> Experiment | None:
    model = facts.config.model
    if model.normalisation != "sum":
        return None
    return Experiment(
        (replace(facts.config, model=replace(model, normalisation="sym")),),
        "Train it with averages in place of sums",
        "Sums that are not normalised grow with every layer. If it learns without them, it was their size "
        "that threw it over.",
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
    "works": (_control, _deeper, _with_edges, _not_averaged),
    "over_smoothing": (_first_state, _averaging_alone, _residual, _shallower, _control),
    "signal_death": (
        _gentler,
        _normalised,
        _without_regularisation,
        _control,
        _residual,
        _shallower,
        _longer,
    ),
    "over_fitting": (_regularised, _with_edges, _control, _not_averaged, _shallower),
    "under_trained": (_faster, _longer, _without_regularisation),
    "mixed": (_gentler, _control, _not_averaged, _without_regularisation, _longer, _shallower),
}
