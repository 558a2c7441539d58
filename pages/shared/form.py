"""The form that describes one run: the essentials in a row, everything else folded below.

What is impossible is not offered; what is typed into the address is checked before it is shown.
"""

from collections.abc import Callable, Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gnnviz.config import MAX_EPOCHS, MAX_SEED, RunConfig, TrainConfig
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
from gnnviz.presets import PRESETS, Preset
from pages.shared import url
from pages.shared.background import engine

_FIRST_PRESET = next(iter(PRESETS))
_KEEP = "session"


def run_form(on_train: Callable[[RunConfig], None]) -> RunConfig:
    """Draw the form and return the run it describes.

    Args:
        on_train: called with that run when the button is pressed.

    Raises:
        ConfigError: a combination of values that cannot be trained.
        DatasetError: a dataset or split that cannot be loaded.
    """
    url.choice("preset", list(PRESETS), _FIRST_PRESET, "preset")
    defaults = _defaults(PRESETS[st.session_state.preset])
    button = _essentials(defaults)
    with st.expander("Data, model and optimiser in detail", icon=":material/tune:"):
        data, model, optimiser = st.columns(3, gap="large")
        with data:
            _dataset_fields(defaults)
        with model:
            _model_fields(defaults)
        with optimiser:
            _optimiser_fields(defaults)
    config = _config()
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
    defaults = {**_defaults(PRESETS[st.session_state.preset]), "preset": _FIRST_PRESET}
    defaults["split"] = dataset_record(st.session_state.data).splits[0]
    return {key: st.session_state.get(key) for key in defaults}, defaults


def _defaults(preset: Preset) -> dict[str, object]:
    model, training = preset.model, preset.training
    return {
        "data": "cora",
        "split": None,
        "split_seed": 0,
        "norm": preset.normalisation,
        "model": model.model,
        "depth": model.num_layers,
        "hidden": model.hidden_channels,
        "heads": model.heads,
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
        "device": engine().devices[0],
    }


def _apply_preset() -> None:
    for key, value in _defaults(PRESETS[st.session_state.preset]).items():
        if value is not None:
            st.session_state[key] = value


def _essentials(defaults: Mapping[str, object]) -> DeltaGenerator:
    """Draw the first row and return the place that is left in it for the button."""
    preset, model, depth, seed, button = st.columns([3, 2, 3, 1.4, 1.4], vertical_alignment="bottom")
    preset.selectbox(
        "Recipe",
        list(PRESETS),
        key="preset",
        format_func=lambda key: PRESETS[key].label,
        on_change=_apply_preset,
        help="Sets all fields at once. " + " ".join(f"**{p.label}**: {p.help}" for p in PRESETS.values()),
        persist_state=_KEEP,
    )
    url.choice("model", list(MODELS), str(defaults["model"]), "model")
    model.selectbox(
        "Model",
        list(MODELS),
        key="model",
        format_func=lambda key: MODELS[key].label,
        help="\n\n".join(f"**{spec.label}** ({spec.paper}): {spec.help}" for spec in MODELS.values()),
        persist_state=_KEEP,
    )
    _whole("depth", 1, MAX_LAYERS, defaults, "The depth")
    depth.slider(
        "Depth (layers)",
        1,
        MAX_LAYERS,
        key="depth",
        help="How many layers are stacked. After k layers a node has heard from all nodes within k edges.",
        persist_state=_KEEP,
    )
    _whole("seed", 0, MAX_SEED, defaults, "The seed")
    seed.number_input(
        "Seed",
        0,
        MAX_SEED,
        key="seed",
        help="Decides initial weights and what dropout hides. Same seed, same run: on a CPU to the last bit.",
        persist_state=_KEEP,
    )
    return button


def _dataset_fields(defaults: Mapping[str, object]) -> None:
    st.markdown("**Data**")
    _select(
        "data",
        list(dataset_names()),
        defaults,
        "Graph",
        "dataset",
        _dataset_label,
        "Which graph to train on.",
    )
    splits = list(available_splits(st.session_state.data))
    _select(
        "split",
        splits,
        {**defaults, "split": splits[0]},
        "Split",
        "split",
        lambda key: SPLITS[key].label,
        "\n\n".join(f"**{SPLITS[key].label}**: {SPLITS[key].help}" for key in splits),
    )
    if SPLITS[st.session_state.split].seeded:
        _whole_field(
            "split_seed", 0, MAX_SEED, defaults, "Seed of the split", "Decides which nodes are drawn."
        )
    _select(
        "norm",
        list(NORMALISATIONS),
        defaults,
        "Features",
        "feature normalisation",
        lambda key: NORMALISATIONS[key].label,
        "\n\n".join(f"**{record.label}**: {record.help}" for record in NORMALISATIONS.values()),
    )


def _model_fields(defaults: Mapping[str, object]) -> None:
    st.markdown("**Model**")
    _whole_field(
        "hidden",
        1,
        MAX_CHANNELS,
        defaults,
        "Hidden channels",
        "Width of every hidden layer; attention heads share it.",
    )
    if MODELS[st.session_state.model].has_heads:
        _attention_fields(defaults)
    _share("dropout", defaults, "Dropout", "Share of values that are hidden at random in each training step.")
    _select(
        "dropout_on",
        ["inputs", "between"],
        defaults,
        "Dropout on",
        "place for dropout",
        {"inputs": "every layer's input", "between": "hidden states only"}.__getitem__,
        "Kipf & Welling hide input words, too; the course notes' code only hides hidden states.",
    )
    _select(
        "activation",
        ["relu", "elu"],
        defaults,
        "Activation",
        "activation",
        str.upper,
        "The function between the layers. ReLU cuts negative values off; ELU bends them towards -1.",
    )


def _attention_fields(defaults: Mapping[str, object]) -> None:
    heads = [str(number) for number in divisors(st.session_state.hidden) if number <= 16]
    fallback = "8" if "8" in heads else heads[-1]
    preferred = (
        str(defaults["heads"]) if str(defaults["heads"]) in heads and defaults["heads"] != 1 else fallback
    )
    st.session_state["heads"] = str(st.session_state.get("heads", preferred))
    _select(
        "heads",
        heads,
        {"heads": preferred},
        "Heads",
        "number of heads",
        str,
        "Attention heads of each hidden layer. Each is hidden channels / heads wide: only divisors are here.",
    )
    _whole_field(
        "out_heads", 1, 8, defaults, "Output heads", "Heads of the last layer; their outputs are averaged."
    )
    _share(
        "att_dropout", defaults, "Attention dropout", "Share of attention coefficients hidden in each step."
    )


def _optimiser_fields(defaults: Mapping[str, object]) -> None:
    st.markdown("**Optimiser (Adam)**")
    _real_field("lr", 1e-5, 1.0, defaults, "Learning rate", "Size of Adam's steps.")
    _real_field(
        "decay", 0.0, 1.0, defaults, "Weight decay", "Pulls weights towards zero; a cure for over-fitting."
    )
    _select(
        "decay_on",
        ["first", "all"],
        defaults,
        "Decay on",
        "place for decay",
        {"first": "the first layer", "all": "all layers"}.__getitem__,
        "Kipf & Welling decay the first layer only. On all layers of a deep net it helps to kill the signal.",
    )
    _whole_field("epochs", 1, MAX_EPOCHS, defaults, "Epochs", "Training steps, each on the whole graph.")
    _whole_field(
        "patience",
        0,
        MAX_EPOCHS,
        defaults,
        "Patience (0: off)",
        "Stop after so many epochs without a new best validation loss or accuracy.",
    )
    _select(
        "device", list(engine().devices), defaults, "Device", "device", str.upper, "Where the run is trained."
    )


def _select(
    key: str,
    options: list[str],
    defaults: Mapping[str, object],
    label: str,
    noun: str,
    words: Callable[[str], str],
    hint: str,
) -> None:
    url.choice(key, options, str(defaults[key]), noun)
    st.selectbox(label, options, key=key, format_func=words, help=hint, persist_state=_KEEP)


def _whole(key: str, smallest: int, largest: int, defaults: Mapping[str, object], noun: str) -> None:
    url.whole(key, smallest, largest, int(str(defaults[key])), noun)


def _whole_field(
    key: str, smallest: int, largest: int, defaults: Mapping[str, object], label: str, hint: str
) -> None:
    _whole(key, smallest, largest, defaults, label)
    st.number_input(label, smallest, largest, key=key, help=hint, persist_state=_KEEP)


def _real_field(
    key: str, smallest: float, largest: float, defaults: Mapping[str, object], label: str, hint: str
) -> None:
    url.real(key, smallest, largest, float(str(defaults[key])), label)
    st.number_input(label, smallest, largest, key=key, step=1e-4, format="%g", help=hint, persist_state=_KEEP)


def _share(key: str, defaults: Mapping[str, object], label: str, hint: str) -> None:
    url.real(key, 0.0, 0.99, float(str(defaults[key])), label)
    st.slider(label, 0.0, 0.99, key=key, step=0.01, help=hint, persist_state=_KEEP)


def _dataset_label(name: str) -> str:
    return dataset_record(name).label


def _config() -> RunConfig:
    """Read the fields; what the chosen model does not have stays at its neutral value."""
    state = st.session_state
    attention = MODELS[state.model].has_heads
    seeded = SPLITS[state.split].seeded
    return RunConfig(
        dataset=pinned(DatasetSpec(state.data, state.split, state.split_seed if seeded else 0, state.norm)),
        model=ModelConfig(
            model=state.model,
            num_layers=state.depth,
            hidden_channels=state.hidden,
            heads=int(state.heads) if attention else 1,
            output_heads=state.out_heads if attention else 1,
            dropout=state.dropout,
            dropout_on=state.dropout_on,
            attention_dropout=state.att_dropout if attention else 0.0,
            activation=state.activation,
        ),
        training=TrainConfig(
            epochs=state.epochs,
            learning_rate=state.lr,
            weight_decay=state.decay,
            decay_on=state.decay_on,
            patience=state.patience or None,
            seed=state.seed,
        ),
        device=state.device,
        threads=engine().threads,
    )
