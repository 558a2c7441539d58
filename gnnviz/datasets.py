"""The graphs that can be shown: `DATASETS`, `DatasetSpec` and `load_graph`.

Cora is bundled and the karate club comes with networkx. Planetoid files are looked for in the folder
that GNNVIZ_PLANETOID names, and own pairs of NAME.content and NAME.cites in that of GNNVIZ_DATA.
Loading is pure: the same spec and files give the same graph, and callers cache it. Knows no torch.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import sparse

from gnnviz.errors import DatasetError
from gnnviz.graph import Graph
from gnnviz.normalisation import NORMALISATIONS, normalise_rows
from gnnviz.readers import check_file_name, planetoid_paths, read_content_cites, read_planetoid
from gnnviz.splits import SPLITS

DATA_VARIABLE = "GNNVIZ_DATA"
PLANETOID_VARIABLE = "GNNVIZ_PLANETOID"
OWN_PREFIX = "own:"
MAX_SPLIT_SEED = 2**31 - 1
CORA_FILE = Path(__file__).resolve().parents[1] / "data" / "cora.npz"
# In the order in which the Planetoid files number them; they do not name them.
PLANETOID_CORA_CLASSES = (
    "Theory",
    "Reinforcement learning",
    "Genetic algorithms",
    "Neural networks",
    "Probabilistic methods",
    "Case based",
    "Rule learning",
)


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """What the user is told about a dataset, and how it is read.

    Attributes:
        label: the name on screen.
        help: one line that says what nodes, edges and classes are.
        source: whom to cite.
        splits: keys of `SPLITS` that it can have; the first is the default.
        read: makes the graph for a split; its masks are set if the files fix that split.
    """

    label: str
    help: str
    source: str
    splits: tuple[str, ...]
    read: Callable[[str], Graph]


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """Names a graph wholly; JSON values only.

    Attributes:
        name: a key of `DATASETS`, or `own:NAME`.
        split: a key of `SPLITS` that the dataset has.
        split_seed: 0 to 2^31 - 1; stays 0 where the split has no use for it.
        normalisation: a key of `NORMALISATIONS`, applied to every row of the features.
        fingerprint: of an own graph's files, from `pinned`, so that a graph that was edited is another
            graph; "" takes the files as they are, and is all that a known dataset can have.

    Raises:
        DatasetError: a value that is not allowed. Whether the files are there is only seen on loading.
    """

    name: str = "cora"
    split: str = "kipf"
    split_seed: int = 0
    normalisation: str = "none"
    fingerprint: str = ""

    def __post_init__(self) -> None:
        """Refuse what names no graph."""
        record = dataset_record(self.name)
        if self.split not in record.splits:
            raise DatasetError(
                f"{record.label} has no split {self.split!r}; choose from {', '.join(record.splits)}"
            )
        if self.normalisation not in tuple(NORMALISATIONS):
            raise DatasetError(
                f"unknown normalisation {self.normalisation!r}; choose from {', '.join(NORMALISATIONS)}"
            )
        seed = self.split_seed
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SPLIT_SEED:
            raise DatasetError(f"split_seed is {seed!r}; choose a whole number from 0 to {MAX_SPLIT_SEED}")
        if self.fingerprint and not self.name.startswith(OWN_PREFIX):
            raise DatasetError(f"{record.label} is always the same and has no fingerprint; leave it empty")
        if seed and not SPLITS[self.split].seeded:
            raise DatasetError(f"split_seed is {seed}, but the split {self.split!r} is fixed; leave it at 0")


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
    own_name = check_file_name(name.removeprefix(OWN_PREFIX))
    return DatasetRecord(
        label=own_name,
        help=f"Your own graph, from {own_name}.content and {own_name}.cites.",
        source=f"your files in the folder that {DATA_VARIABLE} names",
        splits=("random",),
        read=lambda _split: _read_own(own_name),
    )


def dataset_names() -> tuple[str, ...]:
    """Return what can be loaded now: the keys of `DATASETS` whose files are there, then own graphs.

    Own pairs whose name `check_file_name` refuses are left out.

    Raises:
        DatasetError: GNNVIZ_DATA or GNNVIZ_PLANETOID is set, but names no folder.
    """
    known = tuple(name for name in DATASETS if available_splits(name))
    folder = _folder_of(DATA_VARIABLE)
    if folder is None:
        return known
    pairs = (path.stem for path in sorted(folder.glob("*.content")) if path.with_suffix(".cites").is_file())
    return known + tuple(f"{OWN_PREFIX}{name}" for name in pairs if _is_file_name(name))


def available_splits(name: str) -> tuple[str, ...]:
    """Return the splits of a dataset that can be loaded now; () if its files are not there.

    Raises:
        DatasetError: an unknown name; GNNVIZ_DATA or GNNVIZ_PLANETOID is set, but names no folder.
    """
    splits = dataset_record(name).splits
    if name.startswith(OWN_PREFIX):
        folder = _folder_of(DATA_VARIABLE)
        there = folder is not None and all(path.is_file() for path in _own_paths(folder, name))
        return splits if there else ()
    folder = _folder_of(PLANETOID_VARIABLE)
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
    graph = dataset_record(spec.name).read(spec.split)
    assign = SPLITS[spec.split].assign
    if assign is not None:
        train, val, test = assign(graph, spec.split_seed)
        graph = replace(graph, train_mask=train, val_mask=val, test_mask=test)
    return replace(graph, x=normalise_rows(graph.x, spec.normalisation))


def pinned(spec: DatasetSpec) -> DatasetSpec:
    """Return `spec` tied to what an own graph's files hold now; a known dataset's as it is.

    Raises:
        DatasetError: the files are missing or cannot be read.
    """
    if not spec.name.startswith(OWN_PREFIX):
        return spec
    digest = hashlib.sha256()
    for path in _own_files(spec.name):
        try:
            digest.update(path.read_bytes())
        except OSError as error:
            raise DatasetError(f"{path.name} cannot be read ({error.strerror}); put it there again") from None
    return replace(spec, fingerprint=digest.hexdigest()[:16])


def _read_cora(split: str) -> Graph:
    return _read_planetoid_cora() if split == "public" else _read_bundled_cora()


def _read_bundled_cora() -> Graph:
    with np.load(CORA_FILE, allow_pickle=False) as stored:
        arrays = dict(stored)
    ones = np.ones(len(arrays["word_indices"]), dtype=np.float32)
    shape = (len(arrays["paper_ids"]), int(arrays["num_words"]))
    words = (ones, arrays["word_indices"].astype(np.int32), arrays["word_indptr"])
    return Graph(
        x=sparse.csr_array(words, shape=shape),
        edge_index=arrays["citations"].astype(np.int64),
        y=arrays["labels"].astype(np.int64),
        class_names=tuple(arrays["class_names"].tolist()),
        node_names=tuple(map(str, arrays["paper_ids"].tolist())),
        name="Cora",
    )


def _read_planetoid_cora() -> Graph:
    """Return Cora in the order of the Planetoid files, with classes numbered as in the bundled one."""
    graph = _read_planetoid("cora", "Cora")
    if graph.num_classes != len(PLANETOID_CORA_CLASSES) or graph.y is None:
        raise DatasetError(f"the Planetoid files of Cora have {graph.num_classes} classes instead of 7")
    class_names = tuple(sorted(PLANETOID_CORA_CLASSES))
    number = np.array([class_names.index(name) for name in PLANETOID_CORA_CLASSES])
    return replace(graph, y=number[graph.y], class_names=class_names)


def _read_planetoid(name: str, label: str) -> Graph:
    folder = _folder_of(PLANETOID_VARIABLE)
    if folder is None:
        raise DatasetError(
            f"the public split of {label} needs the Planetoid files; "
            f"set {PLANETOID_VARIABLE} to the folder that holds ind.{name}.x and the seven others"
        )
    return replace(read_planetoid(folder, name), name=label)


def _read_karate(_split: str) -> Graph:
    import networkx  # only where somebody asks for the karate club

    club = networkx.karate_club_graph()
    class_names = ("Mr. Hi", "Officer")
    return Graph(
        x=np.eye(club.number_of_nodes(), dtype=np.float32),
        edge_index=np.array(list(club.edges)).T,
        y=np.array([class_names.index(club.nodes[node]["club"]) for node in club]),
        class_names=class_names,
        name="Karate club",
    )


def _read_own(name: str) -> Graph:
    return read_content_cites(*_own_files(name))


def _own_files(name: str) -> tuple[Path, Path]:
    folder = _folder_of(DATA_VARIABLE)
    if folder is None:
        stem = check_file_name(name.removeprefix(OWN_PREFIX))
        raise DatasetError(f"set {DATA_VARIABLE} to the folder that holds {stem}.content and {stem}.cites")
    return _own_paths(folder, name)


def _own_paths(folder: Path, name: str) -> tuple[Path, Path]:
    stem = check_file_name(name.removeprefix(OWN_PREFIX))
    return folder / f"{stem}.content", folder / f"{stem}.cites"


def _is_file_name(name: str) -> bool:
    try:
        check_file_name(name)
    except DatasetError:
        return False
    return True


def _folder_of(variable: str) -> Path | None:
    """Return the folder that an environment variable names; None if it is not set."""
    value = os.environ.get(variable)
    if not value:
        return None
    if not Path(value).is_dir():
        raise DatasetError(f"{variable} is {value!r}, which is no folder; correct it or unset it")
    return Path(value)


DATASETS: dict[str, DatasetRecord] = {
    "cora": DatasetRecord(
        label="Cora",
        help="2708 papers on machine learning in 7 classes, 1433 words, joined by citations.",
        source="Sen, Namata, Bilgic, Getoor, Galligher & Eliassi-Rad, AI Magazine 29(3), 2008",
        splits=("kipf", "random", "public"),
        read=_read_cora,
    ),
    "karate": DatasetRecord(
        label="Karate club",
        help="34 members of a club that broke into two factions, joined where they met outside it.",
        source="Zachary, Journal of Anthropological Research 33(4), 1977",
        splits=("leaders", "random"),
        read=_read_karate,
    ),
    "citeseer": DatasetRecord(
        label="Citeseer",
        help="3327 papers on computer science in 6 classes, 3703 words, joined by citations.",
        source="Sen, Namata, Bilgic, Getoor, Galligher & Eliassi-Rad, AI Magazine 29(3), 2008",
        splits=("public",),
        read=lambda _split: _read_planetoid("citeseer", "Citeseer"),
    ),
    "pubmed": DatasetRecord(
        label="PubMed",
        help="19717 papers on diabetes in 3 classes, 500 weighted words, joined by citations.",
        source="Namata, London, Getoor & Huang, MLG 2012",
        splits=("public",),
        read=lambda _split: _read_planetoid("pubmed", "PubMed"),
    ),
}
