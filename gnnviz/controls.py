"""What a run is compared with through its layers: `CONTROL_LINES`, and which other runs are its controls.

Knows configurations; starts nothing and reads no folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gnnviz.config import RunConfig
from gnnviz.diagnosis_experiments import control_of
from gnnviz.errors import ConfigError
from gnnviz.models import MODELS, ModelConfig
from gnnviz.sweeps import of_one_recipe
from gnnviz.theory import THEORY_LINES

CONTROL = "mlp"
DEFAULT_LINES = ("best", "start", "propagation")
MOST_SEEDS = 8  # beyond, lines of other seeds are one band of ink


@dataclass(frozen=True, slots=True)
class ControlLine:
    """A measured line through the layers.

    Attributes:
        label: the name on screen.
        help: one line that explains it.
        paper: authors, venue and year; "" for the run itself.
    """

    label: str
    help: str
    paper: str = ""


def lines_for(config: ModelConfig) -> tuple[str, ...]:
    """Return the keys of all lines, measured ones first, that may be drawn for a model."""
    theory = [name for name, line in THEORY_LINES.items() if config.model in line.models]
    measured = [name for name in CONTROL_LINES if name != CONTROL or config.model != CONTROL]
    return (*measured, *theory)


def line_label(name: str) -> str:
    """Return what a line is called on screen.

    Raises:
        ConfigError: no such line.
    """
    return _line(name).label


def line_help(name: str) -> str:
    """Return one line that explains a line, with its paper if it has one.

    Raises:
        ConfigError: no such line.
    """
    line = _line(name)
    return f"{line.help} ({line.paper})" if line.paper else line.help


def known_control(config: RunConfig, runs: Sequence[RunConfig]) -> RunConfig:
    """Return the control among `runs`, whatever the device it was trained on; else the one to be trained."""
    wanted = control_of(config)
    same = [
        run
        for run in of_one_recipe(wanted, runs)
        if run.model == wanted.model and run.training.seed == wanted.training.seed
    ]
    return same[0] if same else wanted


def other_seeds(config: RunConfig, runs: Sequence[RunConfig]) -> tuple[RunConfig, ...]:
    """Return the runs that differ from `config` in nothing but the seed, ascending, the first eight."""
    others = [
        run
        for run in of_one_recipe(config, runs)
        if run.model == config.model and run.training.seed != config.training.seed
    ]
    return tuple(sorted(others, key=lambda run: run.training.seed)[:MOST_SEEDS])


def _line(name: str) -> ControlLine:
    if name in CONTROL_LINES:
        return CONTROL_LINES[name]
    if name not in THEORY_LINES:
        raise ConfigError(f"unknown line {name!r}; choose from {', '.join([*CONTROL_LINES, *THEORY_LINES])}")
    line = THEORY_LINES[name]
    return ControlLine(line.label, line.help, line.paper)


CONTROL_LINES: dict[str, ControlLine] = {
    "best": ControlLine("trained, best", "The run at the epoch that validation chose."),
    "start": ControlLine("untrained", "The same network before its first step."),
    "last": ControlLine("trained, last", "The run at its newest epoch."),
    "seeds": ControlLine("other seeds", "Runs of this recipe with other seeds, at their best epochs."),
    "propagation": ControlLine(
        "propagation only",
        "The features, averaged as this model averages, once a layer, with no weights and no activations: "
        "smoothing by the graph itself.",
        "Wu, Souza, Zhang, Fifty, Yu & Weinberger, ICML 2019",
    ),
    CONTROL: ControlLine(
        MODELS[CONTROL].label,
        "The same recipe and depth without the graph, at its best epoch: what weights, biases and "
        "activations do alone.",
        MODELS[CONTROL].paper,
    ),
}
