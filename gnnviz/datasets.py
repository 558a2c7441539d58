"""The graphs that can be shown: `DATASETS`, `DatasetSpec` and `load_graph`.

Loading is pure: the same spec and files give the same graph, and callers cache it. Where graphs are kept is
known to `gnnviz.known_data` and `gnnviz.own_data`. Knows no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from gnnviz.block_model import contextual_block_model
from gnnviz.edits import Edit, apply_edits
from gnnviz.errors import DatasetError
from gnnviz.graph import Graph
from gnnviz.known_data import (
    PLANETOID_VARIABLE,
    read_bundled_cora,
    read_karate,
    read_planetoid_cora,
    read_public,
)
from gnnviz.normalisation import NORMALISATIONS, normalise_rows
from gnnviz.own_data import (
    DATA_VARIABLE,
    OWN_PREFIX,
    fingerprint,
    folder_of,
    is_there,
    own_names,
    read_own,
    stem_of,
)
from gnnviz.parameters import Parameter
from gnnviz.readers import planetoid_paths
from gnnviz.splits import SPLITS

MAX_SPLIT_SEED = 2**31 - 1
BLOCK_SIZES = {"num_nodes": 2000, "num_edges": 8000, "num_features": 64, "num_classes": 5}


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """What the user is told about a dataset, and how it is read.

    Attributes:
        label: the name on screen.
        help: one line that says what nodes, edges and classes are.
        source: whom to cite.
        splits: keys of `SPLITS` that it can have; the first is the default.
        read: makes the graph of a spec; its masks are set if the files fix the split.
        parameters: the fields of `DatasetSpec` that this dataset alone has, by name.
    """

    label: str
    help: str
    source: str
    splits: tuple[str, ...]
    read: Callable[[DatasetSpec], Graph]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """Names a graph wholly; JSON values only.

    Attributes:
        name: a key of `DATASETS`, or `own:NAME`.
        split: a key of `SPLITS` that the dataset has.
        split_seed: 0 to 2^31 - 1; stays 0 where the split has no use for it. It decides the block model's
            nodes, edges and features as well, so that another seed is another graph of the same kind.
        normalisation: a key of `NORMALISATIONS`, applied to every row of the features.
        fingerprint: of an own graph's files, from `pinned`, so that a graph that was edited is another
            graph; "" takes the files as they are, and is all that a known dataset can have.
        edits: what is changed, in this order, once the graph has its split and its features are
            normalised; features that an edit appends are not. Any sequence is taken.
        homophily: of the block model, 0 to 1; its default replaces None. None for other datasets.
        signal: of the block model's features, 0 to 10; its default replaces None. None for other datasets.

    Raises:
        DatasetError: a value that is not allowed. Whether the files are there is only seen on loading.
    """

    name: str = "cora"
    split: str = "kipf"
    split_seed: int = 0
    normalisation: str = "none"
    fingerprint: str = ""
    edits: tuple[Edit, ...] = ()
    homophily: float | None = None
    signal: float | None = None

    def __post_init__(self) -> None:
        """Refuse what names no graph, and fill in defaults."""
        record = dataset_record(self.name)
        if self.split not in record.splits:
            raise DatasetError(
                f"{record.label} has no split {self.split!r}; choose from {', '.join(record.splits)}"
            )
        if self.normalisation not in tuple(NORMALISATIONS):
            raise DatasetError(
                f"unknown normalisation {self.normalisation!r}; choose from {', '.join(NORMALISATIONS)}"
            )
        if self.fingerprint and not self.name.startswith(OWN_PREFIX):
            raise DatasetError(f"{record.label} is always the same and has no fingerprint; leave it empty")
        _check_seed(self.split_seed, self.split)
        object.__setattr__(self, "edits", _as_edits(self.edits))
        for name in ("homophily", "signal"):
            object.__setattr__(self, name, _checked(record, name, getattr(self, name)))

    @property
    def label(self) -> str:
        """What the graph is called on screen: "Cora + virtual node", "Block model, homophily 0.3"."""
        record = dataset_record(self.name)
        chosen = {name: getattr(self, name) for name in record.parameters}
        told = [
            f"{record.parameters[name].label.lower()} {value:g}"
            for name, value in chosen.items()
            if value != record.parameters[name].default
        ]
        return " + ".join([", ".join([record.label, *told]), *(edit.phrase for edit in self.edits)])


def _check_seed(seed: int, split: str) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SPLIT_SEED:
        raise DatasetError(f"split_seed is {seed!r}; choose a whole number from 0 to {MAX_SPLIT_SEED}")
    if seed and not SPLITS[split].seeded:
        raise DatasetError(f"split_seed is {seed}, but the split {split!r} is fixed; leave it at 0")


def _as_edits(edits: object) -> tuple[Edit, ...]:
    if not isinstance(edits, list | tuple) or not all(isinstance(edit, Edit) for edit in edits):
        raise DatasetError(f"edits are {edits!r}; give a list of Edit, or an empty one")
    return tuple(edits)


def _checked(record: DatasetRecord, name: str, value: float | None) -> float | None:
    """Return a parameter's value, or None where the dataset has no such parameter."""
    if name in record.parameters:
        return record.parameters[name].checked(name, value)
    if value is not None:
        raise DatasetError(f"{name} is {value!r}, but {record.label} has none to choose; leave it out")
    return None


def dataset_record(name: str) -> DatasetRecord:
    """Return the record of a dataset, of an own one as well; it need not be there.

    Raises:
        DatasetError: an unknown name, or an own name that cannot be a file's.
    """
    if not isinstance(name, str) or not (name in DATASETS or name.startswith(OWN_PREFIX)):
        choices = ", ".join((*DATASETS, f"{OWN_PREFIX}NAME"))
        raise DatasetError(f"unknown dataset {name!r}; choose from {choices}")
    if name in DATASETS:
        return DATASETS[name]
    own_name = stem_of(name)
    return DatasetRecord(
        label=own_name,
        help=f"Your own graph, from {own_name}.content and {own_name}.cites.",
        source=f"your files in the folder that {DATA_VARIABLE} names",
        splits=("random",),
        read=lambda spec: read_own(spec.name),
    )


def dataset_names() -> tuple[str, ...]:
    """Return what can be loaded now: the keys of `DATASETS` whose files are there, then own graphs.

    Raises:
        DatasetError: GNNVIZ_DATA or GNNVIZ_PLANETOID is set, but names no folder.
    """
    return tuple(name for name in DATASETS if available_splits(name)) + own_names()


def available_splits(name: str) -> tuple[str, ...]:
    """Return the splits of a dataset that can be loaded now; () if its files are not there.

    Raises:
        DatasetError: an unknown name; GNNVIZ_DATA or GNNVIZ_PLANETOID is set, but names no folder.
    """
    splits = dataset_record(name).splits
    if name.startswith(OWN_PREFIX):
        return splits if is_there(name) else ()
    folder = folder_of(PLANETOID_VARIABLE)
    has_files = folder is not None and all(path.is_file() for path in planetoid_paths(folder, name).values())
    return tuple(split for split in splits if split != "public" or has_files)


def load_graph(
    name: str, split: str | None = None, split_seed: int = 0, normalisation: str = "none"
) -> Graph:
    """Return a dataset's graph with its split and its features normalised.

    Args:
        name: a key of `DATASETS`, or `own:NAME`.
        split: a key of `SPLITS` that the dataset has; None takes its default.
        split_seed: decides a random split, 0 to 2^31 - 1.
        normalisation: a key of `NORMALISATIONS`.

    Raises:
        DatasetError: a value that is not allowed, or files that are missing or cannot be used.
    """
    return load_spec(
        DatasetSpec(
            name, dataset_record(name).splits[0] if split is None else split, split_seed, normalisation
        )
    )


def load_spec(spec: DatasetSpec) -> Graph:
    """Return the graph that `spec` names.

    Raises:
        DatasetError: files that are missing or cannot be used.
    """
    if spec.fingerprint and spec.fingerprint != pinned(spec).fingerprint:
        label = dataset_record(spec.name).label
        raise DatasetError(f"the files of {label} have changed since; put the old ones back, or train anew")
    graph = dataset_record(spec.name).read(spec)
    assign = SPLITS[spec.split].assign
    if assign is not None:
        train, val, test = assign(graph, spec.split_seed)
        graph = replace(graph, train_mask=train, val_mask=val, test_mask=test)
    return apply_edits(replace(graph, x=normalise_rows(graph.x, spec.normalisation)), spec.edits)


def pinned(spec: DatasetSpec) -> DatasetSpec:
    """Return `spec` tied to what an own graph's files hold now; a known dataset's as it is.

    Raises:
        DatasetError: the files are missing or cannot be read.
    """
    if not spec.name.startswith(OWN_PREFIX):
        return spec
    return replace(spec, fingerprint=fingerprint(spec.name))


def _read_blocks(spec: DatasetSpec) -> Graph:
    dials = {name: getattr(spec, name) for name in DATASETS["blocks"].parameters}
    return contextual_block_model(**BLOCK_SIZES, **dials, seed=spec.split_seed)


DATASETS: dict[str, DatasetRecord] = {
    "cora": DatasetRecord(
        label="Cora",
        help="2708 papers on machine learning in 7 classes, 1433 words, joined by citations.",
        source="Sen, Namata, Bilgic, Getoor, Galligher & Eliassi-Rad, AI Magazine 29(3), 2008",
        splits=("kipf", "random", "public"),
        read=lambda spec: read_planetoid_cora() if spec.split == "public" else read_bundled_cora(),
    ),
    "karate": DatasetRecord(
        label="Karate club",
        help="34 members of a club that broke into two factions, joined where they met outside it.",
        source="Zachary, Journal of Anthropological Research 33(4), 1977",
        splits=("leaders", "random"),
        read=lambda _spec: read_karate(),
    ),
    "blocks": DatasetRecord(
        label="Block model",
        help=(
            "2000 made-up nodes in 5 classes, 64 features, about 8000 edges: how much edges and features "
            "tell of the classes is yours to choose. The seed of the split draws the graph, too."
        ),
        source="Deshpande, Sen, Montanari & Mossel, NeurIPS 2018 (contextual stochastic block model)",
        splits=("random",),
        read=_read_blocks,
        parameters={
            "homophily": Parameter(
                "Homophily", "Share of edges that join two nodes of one class; 0.2 is chance.", 0.0, 1.0, 0.6
            ),
            "signal": Parameter(
                "Signal", "How far apart features set the classes, in units of their noise.", 0.0, 10.0, 2.0
            ),
        },
    ),
    "citeseer": DatasetRecord(
        label="Citeseer",
        help="3327 papers on computer science in 6 classes, 3703 words, joined by citations.",
        source="Sen, Namata, Bilgic, Getoor, Galligher & Eliassi-Rad, AI Magazine 29(3), 2008",
        splits=("public",),
        read=lambda _spec: read_public("citeseer", "Citeseer"),
    ),
    "pubmed": DatasetRecord(
        label="PubMed",
        help="19717 papers on diabetes in 3 classes, 500 weighted words, joined by citations.",
        source="Namata, London, Getoor & Huang, MLG 2012",
        splits=("public",),
        read=lambda _spec: read_public("pubmed", "PubMed"),
    ),
}
