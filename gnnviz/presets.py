"""Recipes with a name: what a paper or a course trains, ready to be chosen in one click.

A preset is a model, its training and the feature normalisation; it leaves the graph open.
"""

from __future__ import annotations

from dataclasses import dataclass

from gnnviz.config import TrainConfig
from gnnviz.models import ModelConfig
from gnnviz.remedies import Remedies


@dataclass(frozen=True, slots=True)
class Preset:
    """A named recipe.

    Attributes:
        label: the name on screen.
        help: one line: what is special about it, and where we differ from the source.
        normalisation: a key of `gnnviz.datasets.NORMALISATIONS`.
        model: the layers.
        training: optimiser, epochs, seed.
    """

    label: str
    help: str
    normalisation: str
    model: ModelConfig
    training: TrainConfig


PRESETS: dict[str, Preset] = {
    "one_recipe": Preset(
        label="One recipe for every depth",
        help="The same width, dropout and decay at each depth, so that only depth differs: 64 channels, "
        "dropout 0.5 on every layer's input, decay on all layers.",
        normalisation="l1",
        model=ModelConfig("gcn", num_layers=2, hidden_channels=64, dropout=0.5),
        training=TrainConfig(epochs=200, learning_rate=0.01, weight_decay=5e-4, decay_on="all"),
    ),
    "kipf": Preset(
        label="Kipf & Welling 2017",
        help="GCN, 16 channels, decay on the first layer only. The paper stops early on a window of 10 "
        "epochs; here all 200 are trained and the best by validation is reported.",
        normalisation="l1",
        model=ModelConfig("gcn", num_layers=2, hidden_channels=16, dropout=0.5),
        training=TrainConfig(epochs=200, learning_rate=0.01, weight_decay=5e-4, decay_on="first"),
    ),
    "velickovic": Preset(
        label="Velickovic et al. 2018",
        help="GAT, 8 heads of 8 channels, ELU, dropout 0.6 on inputs and on attention, patience 100. "
        "The paper allows 100,000 epochs; here at most 1,000.",
        normalisation="l1",
        model=ModelConfig(
            "gat",
            num_layers=2,
            hidden_channels=64,
            heads=8,
            dropout=0.6,
            attention_dropout=0.6,
            activation="elu",
        ),
        training=TrainConfig(
            epochs=1000, learning_rate=0.005, weight_decay=5e-4, decay_on="all", patience=100
        ),
    ),
    "wu": Preset(
        label="Wu et al. 2019",
        help="SGC, 2 hops, no dropout, learning rate 0.2, 100 epochs. The paper searches for the weight "
        "decay; here it is 1e-5.",
        normalisation="l1",
        model=ModelConfig("sgc", num_layers=2, dropout=0.0),
        training=TrainConfig(epochs=100, learning_rate=0.2, weight_decay=1e-5, decay_on="all"),
    ),
    "hamilton": Preset(
        label="Hamilton et al. 2017, unsupervised",
        help="GraphSAGE that learns from random walks and sees no label, with the course notes' pairs. ELU "
        "instead of ReLU: embeddings that cannot be negative collapse to zero under a cosine and Q = 10.",
        normalisation="l1",
        model=ModelConfig(
            "sage",
            num_layers=2,
            hidden_channels=64,
            dropout=0.5,
            activation="elu",
            remedies=Remedies(post_layers=1),
        ),
        training=TrainConfig(epochs=60, learning_rate=0.01, weight_decay=0.0, objective="unsupervised"),
    ),
    "notes": Preset(
        label="Course notes",
        help="GCN as in the course notes' own code: 16 channels, dropout only between the layers, decay on "
        "everything, features divided by the root of their row's sum, seed 42.",
        normalisation="l2",
        model=ModelConfig("gcn", num_layers=2, hidden_channels=16, dropout=0.5, dropout_on="between"),
        training=TrainConfig(epochs=200, learning_rate=0.01, weight_decay=5e-4, decay_on="all", seed=42),
    ),
}
