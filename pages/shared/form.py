"""The form that describes one run: the essentials in a row, everything else folded below.

What is impossible is not offered; what is typed into the address is checked before it is shown.
"""

from collections.abc import Callable

import streamlit as st

from gnnviz.config import MAX_EPOCHS, MAX_SEED, DeviceType, RunConfig, TrainConfig
from gnnviz.datasets import (
    NORMALISATIONS,
    SPLITS,
    DatasetSpec,
    available_splits,
    dataset_names,
    dataset_record,
    pinned,
)
from gnnviz.models import MAX_CHANNELS, MAX_LAYERS, MODELS, ModelConfig, divisors
from gnnviz.presets import PRESETS
from pages.shared.background import engine
from pages.shared.fields import real, select, select_record, share, slide, whole

_FIRST_PRESET = next(iter(PRESETS))
_MOST_HEADS = 16
_USUAL_HEADS = 8


def run_form(on_train: Callable[[RunConfig], None]) -> RunConfig:
    """Draw the form and return the run it describes.

    Args:
        on_train: called with that run when the button is pressed.

    Raises:
        ConfigError: a combination of values that cannot be trained.
        DatasetError: a dataset or split that cannot be loaded.
    """
    recipe, which, how_deep, seed, button = st.columns([3, 2, 3, 1.4, 1.4], vertical_alignment="bottom")
    with recipe:
        select_record("preset", PRESETS, _FIRST_PRESET, "Recipe")
    _follow_preset()
    with which:
        select_record("model", MODELS, _recipe_model().model, "Model")
    with how_deep:
        slide(
            "depth", 1, MAX_LAYERS, _recipe_model().num_layers, "Depth (layers)",
            "How many layers are stacked. After k layers a node has heard from all nodes within k edges.",
        )  # fmt: skip
    with seed:
        whole(
            "seed", 0, MAX_SEED, _recipe_training().seed, "Seed",
            "Decides initial weights and what dropout hides. Same seed, same run: on a CPU to the last bit.",
        )  # fmt: skip
    with st.expander("Data, model and optimiser in detail", icon=":material/tune:"):
        data, model, optimiser = st.columns(3, gap="large")
        with data:
            dataset = _dataset_fields()
        with model:
            layers = _model_fields()
        with optimiser:
            training, device = _optimiser_fields()
    config = RunConfig(dataset, layers, training, device, engine().threads)
    button.button(
        "Train",
        type="primary",
        icon=":material/play_arrow:",
        on_click=on_train,
        args=(config,),
        help="Trains in the background; asking again for a finished run shows it at once.",
        width="stretch",
    )
    return config


def published() -> tuple[dict[str, object], dict[str, object]]:
    """Return the form's values and their defaults, for the address."""
    defaults = {
        **_recipe_values(),
        "preset": _FIRST_PRESET,
        "data": "cora",
        "split": dataset_record(st.session_state.data).splits[0],
        "split_seed": 0,
        "device": engine().devices[0],
    }
    return {key: st.session_state.get(key) for key in defaults}, defaults


def _recipe_model() -> ModelConfig:
    return PRESETS[st.session_state.preset].model


def _recipe_training() -> TrainConfig:
    return PRESETS[st.session_state.preset].training


def _recipe_values() -> dict[str, object]:
    """Return what the chosen recipe says of each field, by the field's key."""
    model, training = _recipe_model(), _recipe_training()
    return {
        "norm": PRESETS[st.session_state.preset].normalisation,
        "model": model.model,
        "depth": model.num_layers,
        "hidden": model.hidden_channels,
        "heads": str(model.heads),
        "out_heads": model.output_heads,
        "dropout": model.dropout,
        "dropout_on": model.dropout_on,
        "att_dropout": model.attention_dropout,
        "activation": model.activation,
        "lr": training.learning_rate,
        "decay": training.weight_decay,
        "decay_on": training.decay_on,
        "epochs": training.epochs,
        "patience": training.patience or 0,
        "seed": training.seed,
    }


def _follow_preset() -> None:
    """Set every field to the recipe when another one was chosen; not when a link brought it."""
    before = st.session_state.get("form_preset")
    st.session_state.form_preset = st.session_state.preset
    if before not in (None, st.session_state.preset):
        st.session_state.update(_recipe_values())


def _dataset_fields() -> DatasetSpec:
    st.markdown("**Data**")
    names = list(dataset_names())
    hint = "\n\n".join(f"**{dataset_record(name).label}**: {dataset_record(name).help}" for name in names)
    name = select("data", names, "cora", "Graph", lambda name: dataset_record(name).label, hint)
    splits = available_splits(name)
    split = select_record("split", SPLITS, splits[0], "Split", splits)
    split_seed = 0
    if SPLITS[split].seeded:
        split_seed = whole(
            "split_seed", 0, MAX_SEED, 0, "Seed of the split", "Decides which nodes are drawn."
        )
    recipe = PRESETS[st.session_state.preset].normalisation
    return pinned(
        DatasetSpec(name, split, split_seed, select_record("norm", NORMALISATIONS, recipe, "Features"))
    )


def _model_fields() -> ModelConfig:
    st.markdown("**Model**")
    recipe = _recipe_model()
    hidden = whole(
        "hidden", 1, MAX_CHANNELS, recipe.hidden_channels, "Hidden channels",
        "Width of every hidden layer; attention heads share it.",
    )  # fmt: skip
    heads, output_heads, attention_dropout = 1, 1, 0.0
    if MODELS[st.session_state.model].has_heads:
        heads, output_heads, attention_dropout = _attention_fields(hidden)
    dropout = share(
        "dropout",
        recipe.dropout,
        "Dropout",
        "Share of values that are hidden at random in each training step.",
    )
    places = {"inputs": "every layer's input", "between": "hidden states only"}
    dropout_on = select(
        "dropout_on", list(places), recipe.dropout_on, "Dropout on", places.__getitem__,
        "Kipf & Welling hide input words, too; the course notes' code only hides hidden states.",
    )  # fmt: skip
    activation = select(
        "activation", ["relu", "elu"], recipe.activation, "Activation", str.upper,
        "The function between the layers. ReLU cuts negative values off; ELU bends them towards -1.",
    )  # fmt: skip
    return ModelConfig(
        model=st.session_state.model,
        num_layers=st.session_state.depth,
        hidden_channels=hidden,
        heads=heads,
        output_heads=output_heads,
        dropout=dropout,
        dropout_on="inputs" if dropout_on == "inputs" else "between",
        attention_dropout=attention_dropout,
        activation="relu" if activation == "relu" else "elu",
    )


def _attention_fields(hidden: int) -> tuple[int, int, float]:
    """Draw what only attention has; return heads, output heads and the dropout of coefficients."""
    recipe = _recipe_model()
    fitting = [number for number in divisors(hidden) if number <= _MOST_HEADS]
    usual = recipe.heads if recipe.heads > 1 else _USUAL_HEADS
    default = str(usual if usual in fitting else fitting[-1])
    heads = select(
        "heads", [str(number) for number in fitting], default, "Heads", str,
        "Attention heads of each hidden layer. Each is hidden channels / heads wide: only divisors are here.",
    )  # fmt: skip
    output_heads = whole(
        "out_heads", 1, 8, recipe.output_heads, "Output heads", "Heads of the last layer, averaged."
    )
    dropped = share(
        "att_dropout", recipe.attention_dropout, "Attention dropout",
        "Share of attention coefficients that are hidden in each training step.",
    )  # fmt: skip
    return int(heads), output_heads, dropped


def _optimiser_fields() -> tuple[TrainConfig, DeviceType]:
    """Draw how to train and where; return both."""
    st.markdown("**Optimiser (Adam)**")
    recipe = _recipe_training()
    rate = real("lr", 1e-5, 1.0, recipe.learning_rate, "Learning rate", "Size of Adam's steps.")
    decay = real(
        "decay", 0.0, 1.0, recipe.weight_decay, "Weight decay", "Pulls weights to zero, against over-fitting."
    )
    places = {"first": "the first layer", "all": "all layers"}
    decay_on = select(
        "decay_on", list(places), recipe.decay_on, "Decay on", places.__getitem__,
        "Kipf & Welling decay the first layer only. On all layers of a deep net it helps to kill the signal.",
    )  # fmt: skip
    epochs = whole(
        "epochs", 1, MAX_EPOCHS, recipe.epochs, "Epochs", "Training steps, each on the whole graph."
    )
    patience = whole(
        "patience", 0, MAX_EPOCHS, recipe.patience or 0, "Patience (0: off)",
        "Stop after so many epochs without a new best validation loss or accuracy.",
    )  # fmt: skip
    devices = engine().devices
    device = select("device", devices, devices[0], "Device", str.upper, "Where the run is trained.")
    training = TrainConfig(
        epochs=epochs,
        learning_rate=rate,
        weight_decay=decay,
        decay_on="first" if decay_on == "first" else "all",
        patience=patience or None,
        seed=st.session_state.seed,
    )
    return training, "cuda" if device == "cuda" else "cpu"
