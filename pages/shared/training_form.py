"""The fields that describe a training: objective, pairs, optimiser, mini-batches, device."""

import streamlit as st

from gnnviz.config import MAX_EPOCHS, USUAL_FAN_OUT, DeviceType, TrainConfig
from gnnviz.engine.neighbours import parse_fan_outs
from gnnviz.errors import ConfigError
from gnnviz.objectives import OBJECTIVES, PairConfig
from pages.shared import url
from pages.shared.background import engine
from pages.shared.fields import KEEP, choose, real, select, select_record, whole

_SIMILARITIES = {"cosine": "cosine (the notes' code)", "dot": "dot product (the paper)"}
_STARTS = {"all": "all nodes", "training": "the training nodes"}
_DECAYS = {"first": "the first layer", "all": "all layers"}
_MOST_PAIRS = 100
_LARGEST_BATCH = 100_000


def objective_fields(recipe: TrainConfig) -> tuple[str, PairConfig]:
    """Draw what is minimised; return the key of `OBJECTIVES` and the pairs that it compares."""
    objective = select_record("objective", OBJECTIVES, recipe.objective, "Objective")
    spec = OBJECTIVES[objective]
    if not spec.uses_labels:
        st.caption(
            "The layers see no label; a logistic regression on their embeddings is what is reported. Choose "
            "ELU: where embeddings cannot be negative, pushing all far nodes apart can push them all to 0."
        )
    return objective, _pair_fields(recipe.pairs, objective) if spec.uses_pairs else PairConfig()


def optimiser_fields(
    recipe: TrainConfig, objective: str, pairs: PairConfig
) -> tuple[TrainConfig, DeviceType]:
    """Draw how to train and where; return both.

    Raises:
        ConfigError: values that cannot be trained.
    """
    rate = real("lr", 1e-5, 1.0, recipe.learning_rate, "Learning rate", "Size of Adam's steps.")
    decay = real(
        "decay", 0.0, 1.0, recipe.weight_decay, "Weight decay", "Pulls weights to zero, against over-fitting."
    )
    decay_on = choose(
        "decay_on", _DECAYS, recipe.decay_on, "Decay on",
        "Kipf & Welling decay the first layer only. On all layers of a deep net it helps to kill the signal.",
    )  # fmt: skip
    epochs = whole("epochs", 1, MAX_EPOCHS, recipe.epochs, "Epochs", "Passes over the training nodes.")
    patience = whole(
        "patience", 0, MAX_EPOCHS, recipe.patience or 0, "Patience (0: off)",
        "Stop after so many epochs without a new best validation loss or accuracy.",
    )  # fmt: skip
    batch_size, fan_outs = _batch_fields() if st.session_state.model == "sage" else (None, ())
    devices = engine().devices
    device = select("device", devices, devices[0], "Device", str.upper, "Where the run is trained.")
    training = TrainConfig(
        epochs=epochs,
        learning_rate=rate,
        weight_decay=decay,
        decay_on="first" if decay_on == "first" else "all",
        patience=patience or None,
        seed=st.session_state.seed,
        objective=objective,
        pairs=pairs,
        batch_size=batch_size,
        fan_outs=fan_outs,
    )
    return training, "cuda" if device == "cuda" else "cpu"


def training_defaults(recipe: TrainConfig) -> dict[str, object]:
    """Return what the recipe says of each field, by the field's key."""
    pairs = recipe.pairs
    return {
        "lr": recipe.learning_rate,
        "decay": recipe.weight_decay,
        "decay_on": recipe.decay_on,
        "epochs": recipe.epochs,
        "patience": recipe.patience or 0,
        "seed": recipe.seed,
        "objective": recipe.objective,
        "similarity": pairs.similarity,
        "walks": pairs.walks,
        "walk_length": pairs.walk_length,
        "negatives": pairs.negatives,
        "far_hops": pairs.far_hops,
        "negative_weight": pairs.negative_weight,
        "margin": pairs.margin,
        "starts": pairs.nodes,
        "batch": recipe.batch_size or 0,
        "batch_fanouts": "",
    }


def _pair_fields(recipe: PairConfig, objective: str) -> PairConfig:
    similarity = choose(
        "similarity", _SIMILARITIES, recipe.similarity, "Similarity", "Of two nodes' embeddings."
    )
    walks = whole(
        "walks", 1, _MOST_PAIRS, recipe.walks, "Walks", "Random walks from each node, in each epoch."
    )
    length = whole(
        "walk_length", 1, _MOST_PAIRS, recipe.walk_length, "Length of a walk",
        "In edges; every node on a walk makes a near pair with its first.",
    )  # fmt: skip
    negatives = whole(
        "negatives", 1, _MOST_PAIRS, recipe.negatives, "Far nodes", "Drawn for each node, in each epoch."
    )
    hops = whole("far_hops", 1, 64, recipe.far_hops, "Far from", "Far nodes are more edges away than this.")
    weight, margin = recipe.negative_weight, recipe.margin
    if objective == "max_margin":
        margin = real("margin", 0.0, 100.0, margin, "Margin", OBJECTIVES[objective].help)
    else:
        weight = real("negative_weight", 0.01, 1000.0, weight, "Weight of far nodes", "Q in the paper.")
    nodes = choose(
        "starts", _STARTS, recipe.nodes, "Pairs of", "From all nodes no label or split is used to draw them."
    )
    return PairConfig(
        similarity="dot" if similarity == "dot" else "cosine",
        walks=walks,
        walk_length=length,
        negatives=negatives,
        far_hops=hops,
        negative_weight=weight,
        margin=margin,
        nodes="training" if nodes == "training" else "all",
    )


def _batch_fields() -> tuple[int | None, tuple[int, ...]]:
    """Draw the size of mini-batches and, where there are any, how many neighbours each layer samples."""
    size = whole(
        "batch", 0, _LARGEST_BATCH, 0, "Mini-batch (0: whole graph)",
        "Nodes whose loss is computed in one step, from sampled neighbours.",
    )  # fmt: skip
    if not size:
        return None, ()
    arrived = url.arriving("batch_fanouts")
    if arrived is not None or "batch_fanouts" not in st.session_state:
        st.session_state.batch_fanouts = arrived or ""
    text = st.text_input(
        "Fan-outs",
        key="batch_fanouts",
        persist_state=KEEP,
        placeholder=f"{USUAL_FAN_OUT} in every layer",
        help="The most neighbours that a node draws, one number a layer, the last layer's first.",
    )
    try:
        return size, parse_fan_outs(text) if text.strip() else ()
    except ConfigError as error:
        st.warning(str(error))
        return size, ()
