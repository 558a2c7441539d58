"""Changes to a graph before any model sees it: the registry `EDITS`, `Edit` and `apply_edits`.

An `Edit` names one of the functions of `gnnviz.graph_changes` and its numbers, in JSON values, so that
configurations can carry a list of them. Knows no dataset, no model and no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gnnviz import graph_changes
from gnnviz.errors import DatasetError
from gnnviz.graph import Graph
from gnnviz.parameters import Parameter

MAX_EDIT_SEED = 2**31 - 1
MOST_STEPS = 32


@dataclass(frozen=True, slots=True)
class EditSpec:
    """What the user is told about an edit, and how it is made.

    Attributes:
        label: the name on screen.
        help: one line that says what is changed and what for.
        paper: whom to cite; "" where it is everybody's.
        phrase: what the graph has then, for its title: "Cora + virtual node"; `{amount}` and `{percent}`
            are filled in.
        apply: makes the changed graph.
        amount: the number that it takes, or None.
        seeded: True if another seed makes another graph.
        is_inductive: False if a model trained on the changed graph is of no use on another one.
    """

    label: str
    help: str
    paper: str
    phrase: str
    apply: Callable[[Graph, Edit], Graph]
    amount: Parameter | None = None
    seeded: bool = False
    is_inductive: bool = True


@dataclass(frozen=True, slots=True)
class Edit:
    """One change to a graph; JSON values only.

    Attributes:
        name: a key of `EDITS`.
        amount: how much, in the range of the edit's `amount`, whose default replaces None; None where the
            edit takes no number.
        seed: 0 to 2^31 - 1; stays 0 where the edit draws nothing at random.

    Raises:
        DatasetError: a value that is not allowed.
    """

    name: str
    amount: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no edit, and fill in the default amount."""
        if not isinstance(self.name, str) or self.name not in EDITS:
            raise DatasetError(f"unknown edit {self.name!r}; choose from {', '.join(EDITS)}")
        spec = EDITS[self.name]
        if spec.amount is not None:
            object.__setattr__(self, "amount", spec.amount.checked(f"amount of {self.name}", self.amount))
        elif self.amount is not None:
            raise DatasetError(
                f"amount is {self.amount!r}, but the edit {self.name!r} takes none; leave it out"
            )
        seed = self.seed
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_EDIT_SEED:
            raise DatasetError(f"seed is {seed!r}; choose a whole number from 0 to {MAX_EDIT_SEED}")
        if seed and not spec.seeded:
            raise DatasetError(f"seed is {seed}, but the edit {self.name!r} draws nothing; leave it at 0")

    @property
    def phrase(self) -> str:
        """What a graph has after this edit: "virtual node", "20 % fewer edges"."""
        amount = 0 if self.amount is None else self.amount
        seed = f" (seed {self.seed})" if self.seed else ""
        return EDITS[self.name].phrase.format(amount=amount, percent=f"{100 * amount:g} %") + seed


@dataclass(frozen=True, slots=True)
class EditReport:
    """What one edit did, as counts before and after it.

    Attributes:
        edit: which.
        nodes, edges, features: (before, after); edges are undirected.
    """

    edit: Edit
    nodes: tuple[int, int]
    edges: tuple[int, int]
    features: tuple[int, int]

    @property
    def sentence(self) -> str:
        """What it did, in words: "added 4,321 virtual edges: 5,278 -> 9,599"."""
        (old_nodes, nodes), (old_edges, edges) = self.nodes, self.edges
        if nodes > old_nodes:
            return f"added a node joined to all {old_nodes:,} others: {old_edges:,} -> {edges:,} edges"
        if self.features[1] > self.features[0]:
            number = self.features[1] - self.features[0]
            columns = "1 feature" if number == 1 else f"{number:,} features"
            counts = f"{self.features[0]:,} -> {self.features[1]:,}"
            return f"added {columns} ({EDITS[self.edit.name].label.lower()}): {counts}"
        if edges < old_edges:
            return f"dropped {_edges(old_edges - edges)}: {old_edges:,} -> {edges:,}"
        if edges > old_edges:
            return f"added {_edges(edges - old_edges, 'virtual ')}: {old_edges:,} -> {edges:,}"
        return f"{EDITS[self.edit.name].label}: nothing to change, still {_edges(edges)}"


def apply_edits(graph: Graph, edits: Sequence[Edit]) -> Graph:
    """Return the graph after all edits, in their order.

    Raises:
        DatasetError: an edit that this graph is too large for.
    """
    return edit_and_report(graph, edits)[0]


def edit_and_report(graph: Graph, edits: Sequence[Edit]) -> tuple[Graph, tuple[EditReport, ...]]:
    """Return the graph after all edits, in their order, and what each did; errors as `apply_edits`."""
    reports = []
    for edit in edits:
        edited = EDITS[edit.name].apply(graph, edit)
        reports.append(
            EditReport(
                edit,
                nodes=(graph.num_nodes, edited.num_nodes),
                edges=(graph.num_edges, edited.num_edges),
                features=(graph.num_features, edited.num_features),
            )
        )
        graph = edited
    return graph, tuple(reports)


def _edges(count: int, kind: str = "") -> str:
    return f"{count:,} {kind}edge{'' if count == 1 else 's'}"


EDITS: dict[str, EditSpec] = {
    "virtual_edges": EditSpec(
        label="Virtual edges",
        help=(
            "Joins every two nodes with a common neighbour, so that one layer reaches two hops (A + A^2). "
            f"Refused beyond {graph_changes.MOST_VIRTUAL_EDGES:,} new edges."
        ),
        paper="You & Leskovec, Stanford CS224W notes on graph augmentation",
        phrase="virtual edges",
        apply=lambda graph, _edit: graph_changes.with_virtual_edges(graph),
    ),
    "virtual_node": EditSpec(
        label="Virtual node",
        help="Adds one node without features or label that is joined to all, so that all are 2 hops apart.",
        paper="Gilmer, Schoenholz, Riley, Vinyals & Dahl, ICML 2017, section 5.2 (master node)",
        phrase="virtual node",
        apply=lambda graph, _edit: graph_changes.with_virtual_node(graph),
    ),
    "drop_edges": EditSpec(
        label="Fewer edges",
        help="Leaves out a share of the edges, drawn once and for good; DropEdge draws anew in each epoch.",
        paper="Rong, Huang, Xu & Huang, ICLR 2020, for drawing anew",
        phrase="{percent} fewer edges",
        apply=lambda graph, edit: graph_changes.without_edges(graph, edit.amount or 0.0, edit.seed),
        amount=Parameter("Share", "Share of the edges that is left out.", 0.0, 1.0, 0.5),
        seeded=True,
    ),
    "constant": EditSpec(
        label="Constant feature",
        help="Appends a feature that is 1 everywhere: what a node without features can count neighbours by.",
        paper="",
        phrase="constant feature",
        apply=lambda graph, _edit: graph_changes.with_constant(graph),
    ),
    "one_hot_id": EditSpec(
        label="One-hot identity",
        help=(
            "Appends a feature per node that is 1 at this node alone. Not inductive: a model that knows "
            "nodes by their number has nothing to say of new ones."
        ),
        paper="",
        phrase="one-hot identities",
        apply=lambda graph, _edit: graph_changes.with_identities(graph),
        is_inductive=False,
    ),
    "degree": EditSpec(
        label="Degree",
        help="Appends log(1 + number of neighbours); the logarithm keeps hubs from drowning all else.",
        paper="",
        phrase="degrees",
        apply=lambda graph, _edit: graph_changes.with_degrees(graph),
    ),
    "clustering": EditSpec(
        label="Clustering coefficient",
        help="Appends the share of pairs of a node's neighbours that are joined, 0 to 1.",
        paper="Watts & Strogatz, Nature 393, 1998",
        phrase="clustering coefficients",
        apply=lambda graph, _edit: graph_changes.with_clustering(graph),
    ),
    "cycles": EditSpec(
        label="Cycles",
        help=(
            "Appends log(1 + number) of the triangles and of the 4-cycles through a node, which message "
            "passing cannot count."
        ),
        paper="You, Gomes-Selman, Ying & Leskovec, AAAI 2021 (cycle counts as features)",
        phrase="cycle counts",
        apply=lambda graph, _edit: graph_changes.with_cycles(graph),
    ),
    "random_walk": EditSpec(
        label="Return probabilities",
        help="Appends how likely a random walk is back at its node after 1, 2, ..., K steps.",
        paper="Dwivedi, Luu, Laurent, Bengio & Bresson, ICLR 2022",
        phrase="{amount} return probabilities",
        apply=lambda graph, edit: graph_changes.with_return_probabilities(graph, int(edit.amount or 1)),
        amount=Parameter("Steps", "K, the most steps of the walk.", 1, MOST_STEPS, 8, whole=True),
    ),
}
