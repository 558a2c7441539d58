"""What helps deep networks: `Remedies`, free to be combined, and the registry `REMEDIES`.

Imports no torch: the app lists and configures remedies; `gnnviz.remedy_layers` holds what a worker runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gnnviz.checks import check_choice, check_count, check_real, check_share, make_floats
from gnnviz.errors import ConfigError

MOST_DENSE_LAYERS = 8

Residual = Literal["none", "plain", "initial"]
Jumping = Literal["none", "concat", "max"]
Norm = Literal["none", "pair", "pair_si", "batch", "layer"]
Initialisation = Literal["default", "glorot", "he"]


@dataclass(frozen=True, slots=True)
class Remedies:
    """What is added to a stack of layers; the default adds nothing.

    Attributes:
        residual: "plain": a hidden layer's input is added to its output; "initial": its output is mixed
            with the first hidden state. Only between layers of the same width.
        residual_share: of the first hidden state in that mixture, above 0 and below 1.
        jumping: "concat": a linear map of all hidden states side by side gives the logits; "max": of
            their greatest value, channel by channel. Needs two layers.
        norm: what hidden states go through before the activation: "pair" (PairNorm), "pair_si"
            (its form that scales each node by itself), "batch", "layer".
        norm_scale: PairNorm's s, above 0.
        drop_edge: share of edges left out of each training step, in [0, 1); the rest is normalised anew.
        pre_layers: linear layers with activation before the first graph layer, 0 to 8.
        post_layers: linear layers after the last graph layer, 0 to 8, the last of which gives the logits.
        init: how weight matrices start: as the layer's paper says, or all by Glorot, or all by He.

    Raises:
        ConfigError: a value that is not allowed.
    """

    residual: Residual = "none"
    residual_share: float = 0.5
    jumping: Jumping = "none"
    norm: Norm = "none"
    norm_scale: float = 1.0
    drop_edge: float = 0.0
    pre_layers: int = 0
    post_layers: int = 0
    init: Initialisation = "default"

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        check_choice("residual", self.residual, ("none", "plain", "initial"))
        check_choice("jumping", self.jumping, ("none", "concat", "max"))
        check_choice("norm", self.norm, ("none", "pair", "pair_si", "batch", "layer"))
        check_choice("init", self.init, ("default", "glorot", "he"))
        check_share("drop_edge", self.drop_edge)
        check_share("residual_share", self.residual_share)
        if self.residual_share == 0:
            raise ConfigError("residual_share is 0; choose a number above 0 and below 1")
        check_count("pre_layers", self.pre_layers, MOST_DENSE_LAYERS, smallest=0)
        check_count("post_layers", self.post_layers, MOST_DENSE_LAYERS, smallest=0)
        check_real("norm_scale", self.norm_scale, above_zero=True)
        make_floats(self, "drop_edge", "residual_share", "norm_scale")

    @property
    def has_head(self) -> bool:
        """True where linear layers follow the last graph layer, so that its output is a hidden state, too."""
        return self.post_layers > 0 or self.jumping != "none"

    @property
    def label(self) -> str:
        """What is added, in words: "residual + PairNorm"; "" for nothing."""
        words = {
            "residual": {"plain": "residual", "initial": "initial residual"}.get(self.residual, ""),
            "jumping": f"JK {self.jumping}",
            "norm": {
                "pair": "PairNorm",
                "pair_si": "PairNorm per node",
                "batch": "BatchNorm",
                "layer": "LayerNorm",
            }.get(self.norm, ""),
            "drop_edge": f"DropEdge {self.drop_edge:g}",
            "pre_layers": f"{self.pre_layers} linear before",
            "post_layers": f"{self.post_layers} linear after",
            "init": f"{self.init.title()} init",
        }
        return " + ".join(words[name] for name in self.changed() if name in words)

    def only(self, names: Sequence[str]) -> Remedies:
        """Return these remedies without the fields that are not among `names`."""
        kept = {name: value for name, value in self.changed().items() if name in names}
        return dataclasses.replace(NO_REMEDIES, **kept)  # pyright: ignore[reportArgumentType]

    def changed(self) -> dict[str, str | float | int]:
        """Return the fields that differ from doing nothing, by name."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != field.default
        }


NO_REMEDIES = Remedies()


@dataclass(frozen=True, slots=True)
class RemedySpec:
    """What the user is told about a remedy, and what it changes.

    Attributes:
        label: the name on screen.
        help: one line that says what it does and against what.
        paper: authors, venue and year.
        remedies: the settings that switch it on.
        least_layers: fewer layers cannot have it.
    """

    label: str
    help: str
    paper: str
    remedies: Remedies
    least_layers: int = 1


def combined(names: tuple[str, ...]) -> Remedies:
    """Return the settings that switch on several of `REMEDIES`; of two that exclude each other, the later.

    Raises:
        ConfigError: an unknown name.
    """
    fields: dict[str, str | float | int] = {}
    for name in names:
        if name not in REMEDIES:
            raise ConfigError(f"unknown remedy {name!r}; choose from {', '.join(REMEDIES)}")
        fields.update(REMEDIES[name].remedies.changed())
    return dataclasses.replace(NO_REMEDIES, **fields)  # pyright: ignore[reportArgumentType]


def fitting(fields: Sequence[str], depth: int) -> tuple[str, ...]:
    """Return the keys of the remedies that change only some `fields` of `Remedies`, and fit so many layers.

    Args:
        fields: what a model can have, `ModelSpec.remedies`.
        depth: its number of layers, 1 or more.
    """
    return tuple(
        name
        for name, remedy in REMEDIES.items()
        if set(remedy.remedies.changed()) <= set(fields) and depth >= remedy.least_layers
    )


def compatible(names: Sequence[str], chosen: Sequence[str]) -> tuple[str, ...]:
    """Return those of `names` that are `chosen`, or that change nothing that a chosen one changes."""
    taken = {field for name in chosen for field in REMEDIES[name].remedies.changed()}
    return tuple(
        name for name in names if name in chosen or not taken & set(REMEDIES[name].remedies.changed())
    )


def first_of_each_kind(names: Sequence[str]) -> tuple[str, ...]:
    """Return those of `names` that can be switched on together: of two that exclude each other, the first."""
    kept: tuple[str, ...] = ()
    for name in names:
        kept += compatible((name,), kept)
    return kept


REMEDIES: dict[str, RemedySpec] = {
    "residual": RemedySpec(
        label="Residual",
        help="Adds a layer's input to its output, so that the signal has a way past every layer.",
        paper="He, Zhang, Ren & Sun, CVPR 2016; Kipf & Welling, ICLR 2017, appendix B",
        remedies=Remedies(residual="plain"),
        least_layers=3,
    ),
    "initial_residual": RemedySpec(
        label="Initial residual",
        help="Mixes every layer's output with the first hidden state, which no depth can then wash out.",
        paper="Chen, Wei, Huang, Ding & Li, ICML 2020",
        remedies=Remedies(residual="initial"),
        least_layers=3,
    ),
    "jumping_concat": RemedySpec(
        label="Jumping knowledge (concat)",
        help="The last linear map sees all hidden states side by side: each node chooses its own depth.",
        paper="Xu, Li, Tian, Sonobe, Kawarabayashi & Jegelka, ICML 2018",
        remedies=Remedies(jumping="concat"),
        least_layers=2,
    ),
    "jumping_max": RemedySpec(
        label="Jumping knowledge (max)",
        help="As concat, but channel by channel only the greatest value over all depths is kept.",
        paper="Xu, Li, Tian, Sonobe, Kawarabayashi & Jegelka, ICML 2018",
        remedies=Remedies(jumping="max"),
        least_layers=2,
    ),
    "pair_norm": RemedySpec(
        label="PairNorm",
        help="Centres the hidden state and fixes its total spread, so that nodes cannot all move together.",
        paper="Zhao & Akoglu, ICLR 2020",
        remedies=Remedies(norm="pair"),
        least_layers=2,
    ),
    "pair_norm_si": RemedySpec(
        label="PairNorm (each node)",
        help="Centres the hidden state and gives each node's row the same length.",
        paper="Zhao & Akoglu, ICLR 2020",
        remedies=Remedies(norm="pair_si"),
        least_layers=2,
    ),
    "batch_norm": RemedySpec(
        label="BatchNorm",
        help="Gives each channel mean 0 and variance 1 over the nodes: keeps the signal alive with depth.",
        paper="Ioffe & Szegedy, ICML 2015",
        remedies=Remedies(norm="batch"),
        least_layers=2,
    ),
    "layer_norm": RemedySpec(
        label="LayerNorm",
        help="Gives each node's channels mean 0 and variance 1: keeps the signal alive with depth.",
        paper="Ba, Kiros & Hinton, 2016",
        remedies=Remedies(norm="layer"),
        least_layers=2,
    ),
    "drop_edge": RemedySpec(
        label="DropEdge",
        help="Leaves out a random half of the edges in each training step, which slows the mixing down.",
        paper="Rong, Huang, Xu & Huang, ICLR 2020",
        remedies=Remedies(drop_edge=0.5),
    ),
    "pre_mlp": RemedySpec(
        label="Linear layer before",
        help="One linear layer before the graph layers: more expressive without reaching further.",
        paper="You, Ying & Leskovec, NeurIPS 2020",
        remedies=Remedies(pre_layers=1),
    ),
    "post_mlp": RemedySpec(
        label="Linear layers after",
        help="Two linear layers after the graph layers: more expressive without reaching further.",
        paper="You, Ying & Leskovec, NeurIPS 2020",
        remedies=Remedies(post_layers=2),
    ),
    "he_init": RemedySpec(
        label="He initialisation",
        help="Larger initial weights, so that ReLU does not halve the signal's energy at every layer.",
        paper="He, Zhang, Ren & Sun, ICCV 2015",
        remedies=Remedies(init="he"),
    ),
    "glorot_init": RemedySpec(
        label="Glorot initialisation",
        help="Initial weights that keep the signal's variance through linear layers.",
        paper="Glorot & Bengio, AISTATS 2010",
        remedies=Remedies(init="glorot"),
    ),
}
