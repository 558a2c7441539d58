"""What training minimises: the registry `OBJECTIVES`, and `PairConfig` for those that compare nodes.

Imports no torch; `gnnviz.pairs` draws the pairs, `gnnviz.pair_losses` computes what they are worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gnnviz.checks import check_choice, check_count, check_real, make_floats


@dataclass(frozen=True, slots=True)
class ObjectiveSpec:
    """What the user is told about an objective.

    Attributes:
        label: the name on screen.
        help: one line that says what is minimised.
        paper: authors, venue and year.
        uses_pairs: True where pairs of near and of far nodes are drawn.
        uses_labels: False where the layers never see a label; the head is then a logistic regression
            on the frozen embeddings.
    """

    label: str
    help: str
    paper: str
    uses_pairs: bool = True
    uses_labels: bool = False


@dataclass(frozen=True, slots=True)
class PairConfig:
    """Which pairs of nodes an unsupervised objective compares; the defaults are the course notes'.

    Attributes:
        similarity: of two embeddings: "cosine" as in the notes' code, "dot" as in the paper.
        walks: random walks from each node, 1 to 1000.
        walk_length: steps of a walk; each node on it is a positive pair with the first, 1 to 100.
        negatives: far nodes drawn for each node, 1 to 1000.
        far_hops: far nodes are more than so many edges away, 1 to 64.
        negative_weight: Q, weight of the negative term, above 0.
        margin: Delta of the max-margin objective, 0 or more.
        nodes: "all": pairs are of all nodes, no label or split is used; "training": both nodes of a pair are
            training nodes, as in the notes' code.

    Raises:
        ConfigError: a value that is not allowed.

    Reference: Hamilton, Ying & Leskovec, NeurIPS 2017, eq. 1.
    """

    similarity: Literal["cosine", "dot"] = "cosine"
    walks: int = 6
    walk_length: int = 1
    negatives: int = 6
    far_hops: int = 5
    negative_weight: float = 10.0
    margin: float = 3.0
    nodes: Literal["all", "training"] = "all"

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        check_choice("similarity", self.similarity, ("cosine", "dot"))
        check_choice("nodes", self.nodes, ("all", "training"))
        check_count("walks", self.walks, 1000)
        check_count("walk_length", self.walk_length, 100)
        check_count("negatives", self.negatives, 1000)
        check_count("far_hops", self.far_hops, 64)
        check_real("negative_weight", self.negative_weight, above_zero=True)
        check_real("margin", self.margin)
        make_floats(self, "negative_weight", "margin")


USUAL_PAIRS = PairConfig()


OBJECTIVES: dict[str, ObjectiveSpec] = {
    "supervised": ObjectiveSpec(
        label="Supervised",
        help="Cross-entropy of the training nodes' classes.",
        paper="Kipf & Welling, ICLR 2017",
        uses_pairs=False,
        uses_labels=True,
    ),
    "unsupervised": ObjectiveSpec(
        label="Unsupervised",
        help="Neighbours on random walks get similar embeddings, far nodes different ones; no label is seen.",
        paper="Hamilton, Ying & Leskovec, NeurIPS 2017, eq. 1",
    ),
    "max_margin": ObjectiveSpec(
        label="Max-margin",
        help="Neighbours must be more similar than far nodes by a margin. With the log-sigmoid of a cosine "
        "and a margin of 3 the hinge is always active: it never lets go.",
        paper="Hamilton, Ying & Leskovec, NeurIPS 2017, as varied in the course notes",
    ),
    "both": ObjectiveSpec(
        label="Supervised + unsupervised",
        help="The sum of the two: labels where they are known, neighbours everywhere.",
        paper="Hamilton, Ying & Leskovec, NeurIPS 2017",
        uses_labels=True,
    ),
}
