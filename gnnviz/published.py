"""PUBLISHED: accuracies on Cora that others have printed, each with its source; to be compared with care.

Percent there, shares in 0..1 here. Only numbers that stand in the source's own text or table.
"""

from __future__ import annotations

from dataclasses import dataclass

from gnnviz.datasets import DatasetSpec
from gnnviz.models import ModelConfig

DATASET = "cora"
SPLIT = "public"
TUNED = "tuned anew for each depth: learning rate, decay, dropout, width"
_DROPEDGE = "DropEdge (Rong et al., ICLR 2020), README of its code, semi-supervised"
_BENCHMARK = "Bag of Tricks for Training Deeper GNNs (Chen et al., TPAMI 2022), README of its code"


@dataclass(frozen=True, slots=True)
class Published:
    """One printed row of accuracies on Cora's public split.

    Attributes:
        label: what was trained, as the source calls it.
        accuracies: pairs of depth in layers and test accuracy in 0..1, ascending depths.
        source: where it is printed.
        note: what was chosen to get it, without a full stop.
        model: the key of `MODELS` that it is built from.
        remedies: the fields of `Remedies` that it has.
        kind: "published", or what else the row is.
    """

    label: str
    accuracies: tuple[tuple[int, float], ...]
    source: str
    note: str
    model: str
    remedies: tuple[str, ...] = ()
    kind: str = "published"


def compares_with(dataset: DatasetSpec) -> bool:
    """Return whether published accuracies are on this graph, whatever its split; edits make it another."""
    return dataset.name == DATASET and not dataset.edits


def closest(config: ModelConfig) -> tuple[str, ...]:
    """Return the rows of `PUBLISHED` nearest to a model: with its remedies, or else without any."""
    own = [name for name, row in PUBLISHED.items() if row.model == config.model]
    switched_on = set(config.remedies.changed())
    if config.remedies.residual == "initial":  # ResGCN adds a layer's input; this is another remedy
        switched_on.add("initial")
    same = [name for name in own if set(PUBLISHED[name].remedies) == switched_on]
    return tuple(same or [name for name in own if not PUBLISHED[name].remedies])


def split_warning(dataset: DatasetSpec) -> str:
    """Return what must be known before published values are compared with runs on a dataset."""
    split = (
        "on the same split as here"
        if dataset.split == SPLIT
        else "on Planetoid's public split, whose nodes are not those of the split here"
    )
    return (
        f"Published values are {split}. The rows over many depths were {TUNED}, while a sweep here has one "
        "recipe for all depths: so plain GCN fails earlier here than in print."
    )


def _row(*percent: float | None) -> tuple[tuple[int, float], ...]:
    """Return the accuracies of 2, 4, 8, ... layers; None where the source prints none."""
    return tuple((2 << place, value / 100) for place, value in enumerate(percent) if value is not None)


PUBLISHED: dict[str, Published] = {
    "gcn": Published("GCN", _row(81.1, 80.4, 69.5, 64.9, 60.3, 28.7), _DROPEDGE, TUNED, "gcn"),
    "gcn_drop_edge": Published(
        "GCN + DropEdge",
        _row(82.8, 82.0, 75.8, 75.7, 62.5, 49.5),
        _DROPEDGE,
        TUNED,
        "gcn",
        ("drop_edge",),
    ),
    "resgcn": Published(
        "ResGCN", _row(None, 78.8, 75.6, 72.2, 76.6, 61.1), _DROPEDGE, TUNED, "gcn", ("residual",)
    ),
    "resgcn_drop_edge": Published(
        "ResGCN + DropEdge",
        _row(None, 83.3, 82.8, 82.7, 81.1, 78.9),
        _DROPEDGE,
        TUNED,
        "gcn",
        ("residual", "drop_edge"),
    ),
    "jknet": Published(
        "JKNet", _row(None, 80.2, 80.7, 80.2, 81.1, 71.5), _DROPEDGE, TUNED, "gcn", ("jumping",)
    ),
    "jknet_drop_edge": Published(
        "JKNet + DropEdge",
        _row(None, 83.3, 82.6, 83.0, 82.5, 83.2),
        _DROPEDGE,
        TUNED,
        "gcn",
        ("jumping", "drop_edge"),
    ),
    "gcnii_64": Published(
        "GCNII", ((64, 0.855),), "GCNII (Chen et al., ICML 2020), README of its code", "tuned", "gcnii"
    ),
    "gcnii_32": Published("GCNII, 32 layers", ((32, 0.8529),), _BENCHMARK, "tuned", "gcnii"),
    "appnp_32": Published("APPNP, 32 layers", ((32, 0.8368),), _BENCHMARK, "tuned", "appnp"),
    "sgc_32": Published("SGC, 32 layers", ((32, 0.6845),), _BENCHMARK, "tuned", "sgc"),
}
