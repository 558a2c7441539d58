"""What models there are: `ModelConfig`, the registry `MODELS`, and `build_model`.

Imports no torch: the app lists and configures models; only a worker builds one (`gnnviz.stack`).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from gnnviz.checks import check_choice, check_count, check_real, check_share, check_switch, make_floats
from gnnviz.errors import ConfigError
from gnnviz.remedies import NO_REMEDIES, Remedies

if TYPE_CHECKING:
    from gnnviz.stack import Stack

MAX_LAYERS = 64
MAX_CHANNELS = 4096
MAX_OUTPUT_HEADS = 64

Activation = Literal["relu", "elu"]
Aggregator = Literal["mean", "gcn", "max", "pool", "lstm"]
AttentionForm = Literal["sparse", "dense"]
DropoutOn = Literal["inputs", "between"]
Normalisation = Literal["sym", "row", "sum"]

# Fields that only some models have; at the others they stay at their default.
OF_SOME_MODELS = (
    "hidden_channels",
    "activation",
    "normalisation",
    "aggregator",
    "unit_length",
    "heads",
    "output_heads",
    "attention_dropout",
    "attention_form",
    "negative_slope",
    "output_elu",
    "alpha",
    "theta",
)
_HIDDEN = ("hidden_channels", "activation")
_HEADS = ("heads", "output_heads", "attention_dropout", "negative_slope", "output_elu")
_EVERY_REMEDY = tuple(field.name for field in dataclasses.fields(Remedies))
_SAMPLING = ("drop_edge", "init")


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What the user is told about a model, and which layer class it is stacked from.

    Attributes:
        label: the name on screen.
        help: one line that says what a layer does.
        paper: authors, venue and year.
        conv: the class in `gnnviz.layers`.
        takes: the fields of `ModelConfig` that it has, beside those that every model has.
        remedies: the fields of `Remedies` that it can have.
        uses_graph: False for the control that never looks at the edges.
        propagates: True where the layers have no weights: they smooth the class scores that linear
            layers before them have made.
        has_head: True where a linear layer after the last graph layer makes the logits.
    """

    label: str
    help: str
    paper: str
    conv: str
    takes: tuple[str, ...] = _HIDDEN
    remedies: tuple[str, ...] = _EVERY_REMEDY
    uses_graph: bool = True
    propagates: bool = False
    has_head: bool = False

    @property
    def has_heads(self) -> bool:
        """True when the layer has attention heads."""
        return "heads" in self.takes


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """A stack of one kind of layer, with remedies; JSON values only.

    Attributes:
        model: a key of `MODELS`.
        num_layers: number of graph layers, 1 to 64; the user reads "depth".
        hidden_channels: total width of every hidden layer, 1 to 4096.
        heads: attention heads of each hidden layer, each `hidden_channels / heads` wide; 1 where
            the model has none.
        output_heads: attention heads of the last layer, averaged, 1 to 64; 1 where the model has none.
        dropout: share of values set to zero while training, in [0, 1).
        dropout_on: "inputs": the input of every layer, the features included;
            "between": hidden states only.
        attention_dropout: share of attention coefficients set to zero while training, in [0, 1).
        activation: the function between the layers.
        bias: whether layers add one.
        normalisation: of GCN's sum over a node and its neighbours: "sym" by both degrees, "row" by the
            node's own, "sum" not at all, so that features grow with depth.
        aggregator: how GraphSAGE puts neighbours together.
        unit_length: whether GraphSAGE scales each node's hidden state to length 1.
        attention_form: "sparse": over the edges; "dense": GAT over all pairs of nodes with a mask, as a
            check for small graphs.
        negative_slope: of the attention scores' LeakyReLU, in [0, 1).
        output_elu: whether the logits go through an ELU, as in the course notes.
        alpha: share of the first state in every layer of APPNP and GCNII, above 0 and below 1.
        theta: GCNII's lambda: layer l weighs its linear map by log(theta / l + 1); above 0.
        remedies: what is added against the troubles of depth.

    Raises:
        ConfigError: a value that is not allowed.
    """

    model: str = "gcn"
    num_layers: int = 2
    hidden_channels: int = 64
    heads: int = 1
    output_heads: int = 1
    dropout: float = 0.5
    dropout_on: DropoutOn = "inputs"
    attention_dropout: float = 0.0
    activation: Activation = "relu"
    bias: bool = True
    normalisation: Normalisation = "sym"
    aggregator: Aggregator = "mean"
    unit_length: bool = False
    attention_form: AttentionForm = "sparse"
    negative_slope: float = 0.2
    output_elu: bool = False
    alpha: float = 0.1
    theta: float = 0.5
    remedies: Remedies = NO_REMEDIES

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        if self.model not in tuple(MODELS):
            raise ConfigError(f"unknown model {self.model!r}; choose from {', '.join(sorted(MODELS))}")
        self._check_values()
        if self.hidden_channels % self.heads:
            raise ConfigError(
                f"{self.heads} heads do not divide {self.hidden_channels} hidden channels; "
                f"choose from {', '.join(map(str, divisors(self.hidden_channels)))} heads"
            )
        self._check_fit()

    @property
    def label(self) -> str:
        """The name on screen, with what is special about it: "GCN (row) + residual"."""
        kinds = {
            "normalisation": self.normalisation,
            "aggregator": self.aggregator,
            "attention_form": self.attention_form,
        }
        standards = {field.name: field.default for field in dataclasses.fields(self)}
        special = [value for name, value in kinds.items() if value != standards[name]]
        name = MODELS[self.model].label + (f" ({', '.join(special)})" if special else "")
        return f"{name} + {self.remedies.label}" if self.remedies.label else name

    @property
    def has_head(self) -> bool:
        """True where linear layers after the last graph layer make the logits."""
        return MODELS[self.model].has_head or self.remedies.has_head

    @property
    def num_states(self) -> int:
        """How many states follow the features: one a graph layer, and a head's logits if there is one."""
        return self.num_layers + self.has_head

    def _check_values(self) -> None:
        check_count("num_layers", self.num_layers, MAX_LAYERS)
        check_count("hidden_channels", self.hidden_channels, MAX_CHANNELS)
        check_count("heads", self.heads, self.hidden_channels)
        check_count("output_heads", self.output_heads, MAX_OUTPUT_HEADS)
        shares = ("dropout", "attention_dropout", "negative_slope", "alpha")
        for name in shares:
            check_share(name, getattr(self, name))
        if self.alpha == 0:
            raise ConfigError("alpha is 0; choose a number above 0 and below 1, or the model SGC")
        check_real("theta", self.theta, above_zero=True)
        make_floats(self, *shares, "theta")
        check_choice("dropout_on", self.dropout_on, get_args(DropoutOn))
        check_choice("activation", self.activation, get_args(Activation))
        check_choice("normalisation", self.normalisation, get_args(Normalisation))
        check_choice("aggregator", self.aggregator, get_args(Aggregator))
        check_choice("attention_form", self.attention_form, get_args(AttentionForm))
        for name in ("bias", "unit_length", "output_elu"):
            check_switch(name, getattr(self, name))

    def _check_fit(self) -> None:
        """Refuse what this model does not have, and what this depth cannot have."""
        spec = MODELS[self.model]
        standards = {field.name: field.default for field in dataclasses.fields(self)}
        for name in set(OF_SOME_MODELS).difference(spec.takes):
            if getattr(self, name) != standards[name]:
                raise ConfigError(
                    f"{name} is {getattr(self, name)!r}, but {spec.label} has none; "
                    f"leave it at {standards[name]!r}"
                )
        for name, value in self.remedies.changed().items():
            if name not in spec.remedies:
                raise ConfigError(
                    f"{name} is {value!r}, but {spec.label} takes no such remedy; it takes "
                    f"{', '.join(spec.remedies)}"
                )
        if self.remedies.jumping != "none" and self.num_layers == 1:
            raise ConfigError(
                f"jumping is {self.remedies.jumping!r} on one layer, where there is nothing to jump over; "
                "choose 2 layers or more"
            )


def divisors(number: int) -> list[int]:
    """Return the numbers that divide `number` without remainder, ascending."""
    return [candidate for candidate in range(1, number + 1) if number % candidate == 0]


def build_model(config: ModelConfig, in_channels: int, out_channels: int) -> Stack:
    """Return the model with fresh weights from torch's global random state, on the CPU.

    Args:
        config: which layers, and how many.
        in_channels: F, number of features of a node, 1 or more.
        out_channels: C, number of classes, 2 or more.

    Raises:
        ConfigError: no features, or fewer than two classes.
    """
    from gnnviz.stack import Stack  # torch only in the process that builds

    return Stack(config, in_channels, out_channels)


MODELS: dict[str, ModelSpec] = {
    "gcn": ModelSpec(
        label="GCN",
        help="Averages each node with its neighbours, weighted by degree, then a linear map.",
        paper="Kipf & Welling, ICLR 2017",
        conv="GCNConv",
        takes=(*_HIDDEN, "normalisation"),
    ),
    "sage": ModelSpec(
        label="GraphSAGE",
        help="One linear map for the node itself, another for what its neighbours say together.",
        paper="Hamilton, Ying & Leskovec, NeurIPS 2017",
        conv="SAGEConv",
        takes=(*_HIDDEN, "aggregator", "unit_length"),
    ),
    "gat": ModelSpec(
        label="GAT",
        help="Every node learns how much attention to pay to each of its neighbours.",
        paper="Velickovic et al., ICLR 2018",
        conv="GATConv",
        takes=(*_HIDDEN, *_HEADS, "attention_form"),
    ),
    "gatv2": ModelSpec(
        label="GATv2",
        help="Attention whose order of neighbours depends on who asks; GAT's is the same for every node.",
        paper="Brody, Alon & Yahav, ICLR 2022",
        conv="GATv2Conv",
        takes=(*_HIDDEN, *_HEADS),
    ),
    "sgc": ModelSpec(
        label="SGC",
        help="One linear map, then smoothing of the class scores, layer after layer: a GCN without weights.",
        paper="Wu, Souza, Zhang, Fifty, Yu & Weinberger, ICML 2019",
        conv="Propagation",
        takes=(),
        remedies=_SAMPLING,
        propagates=True,
    ),
    "appnp": ModelSpec(
        label="APPNP",
        help="An MLP's class scores are smoothed; a share of the unsmoothed ones is mixed in at each step.",
        paper="Klicpera, Bojchevski & Guennemann, ICLR 2019",
        conv="Propagation",
        takes=(*_HIDDEN, "alpha"),
        remedies=_SAMPLING,
        propagates=True,
    ),
    "gcnii": ModelSpec(
        label="GCNII",
        help="A GCN that mixes its first state into every layer and stays close to the identity.",
        paper="Chen, Wei, Huang, Ding & Li, ICML 2020",
        conv="GCN2Conv",
        takes=(*_HIDDEN, "alpha", "theta"),
        remedies=_SAMPLING,
        has_head=True,
    ),
    "mlp": ModelSpec(
        label="MLP (no graph)",
        help="The control: the same depth and width, but the edges are never used.",
        paper="Rumelhart, Hinton & Williams, Nature 1986",
        conv="Linear",
        remedies=tuple(name for name in _EVERY_REMEDY if name != "drop_edge"),
        uses_graph=False,
    ),
}
