"""The lines that theory draws beside measured values: `THEORY_LINES`, and what each says of a run.

Knows configurations, graphs and numbers; a run's weights and states are read in the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnnviz.checks import check_choice
from gnnviz.figures.layout import counted, listed, significant
from gnnviz.graph import Graph
from gnnviz.models import MODELS, ModelConfig
from gnnviz.receptive import ball_sizes, sample_nodes
from gnnviz.rows import MeasureUndefined
from gnnviz.smoothing import METRICS
from gnnviz.spectrum import RATE_MEASURES, SUM_MEASURES, SlowestMode

MOST_HOPS = 64  # no run is deeper
_SYMMETRIC = ("gcn", "sgc", "appnp", "gcnii")
_HALF = 0.5
_RESOLUTION = 1e-16


@dataclass(frozen=True, slots=True)
class TheoryLine:
    """A line that theory draws beside measured values.

    Attributes:
        label: the name on screen, short enough for the end of a line.
        help: one line that explains it.
        paper: authors, venue and year.
        models: the keys of `MODELS` that it is about.
        measures: the keys of `METRICS` that it is about; () for all.
    """

    label: str
    help: str
    paper: str
    models: tuple[str, ...]
    measures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TheoryResult:
    """What a line is for one run: a curve, a level or a depth; or only the sentence that says why none.

    Attributes:
        curve: layers and values, ascending, the values 0 or more; () for none.
        level: the value of a horizontal line, or None.
        depth: the layer of a vertical line, or None.
        note: a sentence with the line's numbers, or with the reason why nothing is drawn.
    """

    curve: tuple[tuple[int, float], ...] = ()
    level: float | None = None
    depth: int | None = None
    note: str = ""


def why_not(name: str, config: ModelConfig, measure: str) -> str:
    """Return why a line has nothing to say of a model under a measure, as a sentence; "" where it has.

    Raises:
        ConfigError: no such line.
    """
    check_choice("theory line", name, tuple(THEORY_LINES))
    line, label = THEORY_LINES[name], MODELS[config.model].label
    if config.model not in line.models:
        models = listed([MODELS[key].label for key in line.models])
        return f"it is about {models}, and this run is a {label}"
    if name != "half_way" and config.normalisation != "sym":
        return "it is about averaging by both degrees, which this run does not do"
    plain = config.activation == "relu" and not set(config.remedies.changed()) - {"init"}
    if name == "weight_bound" and not plain:
        return "it is about GCN layers with ReLU and nothing between them, and this run has more"
    if name == "plateau" and not mixed_share(config):
        return "it is about models that mix their first state into every layer, which this run does not"
    if line.measures and measure not in line.measures:
        measures = listed([METRICS[key].label for key in line.measures])
        return f"it says nothing about this measure; choose from {measures}"
    return ""


def mixed_share(config: ModelConfig) -> float:
    """Return the share of the first state in every layer, alpha; 0 where none is mixed in."""
    if "alpha" in MODELS[config.model].takes:
        return config.alpha
    return config.remedies.residual_share if config.remedies.residual == "initial" else 0.0


def asymptotic_rate(mode: SlowestMode, measure: str, steps: int) -> TheoryResult:
    """Return the line that linear smoothing comes to in the end, with its half-life in words.

    Raises:
        ConfigError: a measure that it says nothing about.
        MeasureUndefined: nothing of the signal is in the limit.
    """
    curve = mode.measure(measure, steps)
    if not mode.size:
        return TheoryResult(note="one step of averaging reaches the limit: nothing is left to decay")
    if not mode.weight:
        return TheoryResult(note="nothing of the signal is in the slowest mode: it fades at a quicker rate")
    note = (
        f"|lambda| is {mode.size:.6f}, so in the end the energy halves every {significant(mode.half_life)} "
        f"layers (relaxation time: {significant(mode.relaxation)} layers); until then the rest of the "
        "spectrum decides"
    )
    return TheoryResult(curve=as_curve(curve), note=note)


def spectral_sum(values: NDArray[np.float64]) -> TheoryResult:
    """Return the line of what averaging alone does to a measure.

    Args:
        values: after 0, 1, ... steps [L + 1], 0 or more.
    """
    if not values[0]:
        return TheoryResult(note="it is 0 from the start: the signal is in GCN's limit, or there is none")
    return TheoryResult(curve=as_curve(values), note="exact for averaging without weights")


def weight_bound(start: float, norms: Sequence[float], size: float, *, has_bias: bool) -> TheoryResult:
    """Return the bound d_M(X_l) <= (s lambda)^l d_M(X), where it falls; else by how much it says nothing.

    Args:
        start: d_M of the features, 0 or more.
        norms: the spectral norm of each layer's weights, one or more; s is the largest.
        size: lambda, as `SlowestMode.size`.
        has_bias: whether the layers add one, which the theorem does not allow.

    Raises:
        MeasureUndefined: a norm that is NaN or infinite.

    Reference: Oono & Suzuki, ICLR 2020, theorem 2 and corollary 1.
    """
    if not np.isfinite(norms).all():
        raise MeasureUndefined("weights are NaN or infinite: the training has exploded")
    largest = max(norms)
    factor = largest * size
    product = f"s·lambda = {largest:.3g} · {size:.4f} = {factor:.3g}"
    if factor >= 1:
        return TheoryResult(note=f"vacuous: {product} is not below 1, {_allowed(start, factor, len(norms))}")
    bias = (
        "; these layers have biases, which the theorem does not allow: they can lift it" if has_bias else ""
    )
    curve = start * factor ** np.arange(len(norms) + 1.0)
    return TheoryResult(curve=as_curve(curve), note=f"{product}{bias}")


def half_way(graph: Graph) -> TheoryResult:
    """Return the depth from which the average node hears half of its component or more.

    Of large graphs a sample of nodes is averaged over.
    """
    nodes = sample_nodes(graph)
    component = graph.components()
    sizes = np.bincount(component)[component[nodes]]
    shares = (ball_sizes(graph, MOST_HOPS, nodes) * graph.num_nodes / sizes).mean(axis=1)
    reached = np.flatnonzero(shares >= _HALF)
    if not len(reached):
        return TheoryResult(
            note=f"not within {MOST_HOPS} layers: the average node hears {shares[-1]:.0%} by then"
        )
    depth = int(reached[0])
    sampled = f", a sample of {counted(len(nodes))} nodes" if len(nodes) < graph.num_nodes else ""
    if not depth:
        return TheoryResult(note="the average node is half of its component or more by itself")
    told = f"{shares[depth - 1]:.0%} of its component after {depth - 1}, {shares[depth]:.0%} after {depth}"
    return TheoryResult(depth=depth, note=f"the average node hears {told} layers{sampled}")


def _allowed(start: float, factor: float, layers: int) -> str:
    """Return how far a bound that does not fall lets a distance grow, as a clause."""
    if factor == 1:
        return "so it lets the distance stay as it is"
    with np.errstate(over="ignore"):
        grown = float(start * np.power(factor, layers, dtype=np.float64))
    end = significant(grown) if np.isfinite(grown) else "beyond the largest number of float64"
    return f"so it allows the distance to grow {factor:.3g}-fold with each layer, to {end} after {layers}"


def as_curve(values: NDArray[np.float64]) -> tuple[tuple[int, float], ...]:
    """Return layers and values as far as they can be told from 0 beside the first one, in float64."""
    least = _RESOLUTION * float(values[0])
    return tuple((layer, float(value)) for layer, value in enumerate(values) if value > least)


THEORY_LINES: dict[str, TheoryLine] = {
    "spectral_sum": TheoryLine(
        label="spectral sum",
        help="What all eigenvalues of the averaging predict without any weights: a sum, nothing is fitted. "
        "It starts from the features; in SGC and APPNP from the class scores, and in SGC equals what is "
        "measured.",
        paper="Cai & Wang, arXiv 2006.13318, 2020",
        models=_SYMMETRIC,
        measures=SUM_MEASURES,
    ),
    "asymptotic_rate": TheoryLine(
        label="asymptotic rate",
        help="The slowest eigenvalue alone, which the spectral sum comes to in the end: often far later than "
        "any network is deep.",
        paper="Oono & Suzuki, ICLR 2020",
        models=_SYMMETRIC,
        measures=RATE_MEASURES,
    ),
    "weight_bound": TheoryLine(
        label="weight bound",
        help="(s·lambda)^l: a GCN with ReLU, no biases and weights of spectral norm s or less is no further "
        "from its limit.",
        paper="Oono & Suzuki, ICLR 2020",
        models=("gcn",),
        measures=("subspace_distance",),
    ),
    "plateau": TheoryLine(
        label="plateau",
        help="Where mixing in the first state alone leads, however deep; weights between the layers are left "
        "out.",
        paper="Klicpera, Bojchevski & Guennemann, ICLR 2019",
        models=("appnp", "gcnii", "gcn"),
    ),
    "half_way": TheoryLine(
        label="half-way",
        help="From this depth on the average node hears half of its component: the receptive field fills up.",
        paper="Li, Han & Wu, AAAI 2018 (why more layers mix the whole graph)",
        models=tuple(key for key, model in MODELS.items() if model.uses_graph),
    ),
}
