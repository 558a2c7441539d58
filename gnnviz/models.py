"""What models there are: `ModelConfig`, the registry `MODELS`, and `build_model`.

Imports no torch: the app lists and configures models; only a worker builds one (`gnnviz.stack`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gnnviz.errors import ConfigError

if TYPE_CHECKING:
    from gnnviz.stack import Stack

MAX_LAYERS = 64
MAX_CHANNELS = 4096

Activation = Literal["relu", "elu"]
DropoutOn = Literal["inputs", "between"]


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What the user is told about a model, and which layer class it is stacked from.

    Attributes:
        label: the name on screen.
        help: one line that says what a layer does.
        paper: authors, venue and year.
        conv: the class in `gnnviz.layers`.
        uses_graph: False for the control that never looks at the edges.
        has_heads: True when the layer has attention heads.
    """

    label: str
    help: str
    paper: str
    conv: str
    uses_graph: bool = True
    has_heads: bool = False


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """A stack of one kind of layer; JSON values only.

    Attributes:
        model: a key of `MODELS`.
        num_layers: number of layers, 1 to 64; the user reads "depth".
        hidden_channels: total width of every hidden layer, 1 to 4096.
        heads: attention heads of each hidden layer, each `hidden_channels / heads` wide; 1 where
            the model has none.
        output_heads: attention heads of the last layer, averaged; 1 where the model has none.
        dropout: share of values set to zero while training, in [0, 1).
        dropout_on: "inputs": the input of every layer, the features included;
            "between": hidden states only.
        attention_dropout: share of attention coefficients set to zero while training, in [0, 1).
        activation: the function between the layers.

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

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        if self.model not in tuple(MODELS):
            raise ConfigError(f"unknown model {self.model!r}; choose from {', '.join(sorted(MODELS))}")
        _check_count("num_layers", self.num_layers, MAX_LAYERS)
        _check_count("hidden_channels", self.hidden_channels, MAX_CHANNELS)
        _check_count("heads", self.heads, self.hidden_channels)
        _check_count("output_heads", self.output_heads, 64)
        _check_share("dropout", self.dropout)
        _check_share("attention_dropout", self.attention_dropout)
        _check_choice("dropout_on", self.dropout_on, ("inputs", "between"))
        _check_choice("activation", self.activation, ("relu", "elu"))
        if self.hidden_channels % self.heads:
            raise ConfigError(
                f"{self.heads} heads do not divide {self.hidden_channels} hidden channels; "
                f"choose from {', '.join(map(str, divisors(self.hidden_channels)))} heads"
            )
        for name in ("heads", "output_heads", "attention_dropout"):
            standard = 0 if name == "attention_dropout" else 1
            if not MODELS[self.model].has_heads and getattr(self, name) != standard:
                raise ConfigError(
                    f"{name} is {getattr(self, name)}, but {MODELS[self.model].label} has no attention; "
                    f"leave it at {standard}"
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


def _check_count(name: str, value: int, largest: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
        raise ConfigError(f"{name} is {value!r}; choose a whole number from 1 to {largest}")


def _check_share(name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ConfigError(f"{name} is {value!r}; choose a number from 0 up to, but not including, 1")


def _check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigError(f"{name} is {value!r}; choose from {', '.join(allowed)}")


MODELS: dict[str, ModelSpec] = {
    "gcn": ModelSpec(
        label="GCN",
        help="Averages each node with its neighbours, weighted by degree, then a linear map.",
        paper="Kipf & Welling, ICLR 2017",
        conv="GCNConv",
    ),
    "sage": ModelSpec(
        label="GraphSAGE",
        help="One linear map for the node itself, another for the mean of its neighbours.",
        paper="Hamilton, Ying & Leskovec, NeurIPS 2017",
        conv="SAGEConv",
    ),
    "gat": ModelSpec(
        label="GAT",
        help="Every node learns how much attention to pay to each of its neighbours.",
        paper="Velickovic et al., ICLR 2018",
        conv="GATConv",
        has_heads=True,
    ),
    "mlp": ModelSpec(
        label="MLP (no graph)",
        help="The control: the same depth and width, but the edges are never used.",
        paper="Rumelhart, Hinton & Williams, Nature 1986",
        conv="Linear",
        uses_graph=False,
    ),
}
