"""The form that describes one run: the essentials in a row, everything else folded below.

What is impossible is not offered; what is typed into the address is checked before it is shown.
"""

from collections.abc import Callable

import streamlit as st

from gnnviz.config import MAX_SEED, RunConfig, TrainConfig
from gnnviz.models import MAX_LAYERS, MODELS, ModelConfig
from gnnviz.objectives import OBJECTIVES
from gnnviz.presets import PRESETS
from pages.shared.background import engine
from pages.shared.data_form import data_defaults, data_fields
from pages.shared.fields import select_record, slide, whole
from pages.shared.model_form import explained, model_defaults, model_fields, remedy_field
from pages.shared.training_form import objective_fields, optimiser_fields, training_defaults

_FIRST_PRESET = next(iter(PRESETS))


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
        model = select_record("model", MODELS, _recipe_model().model, "Model")
    with how_deep:
        depth = slide(
            "depth", 1, MAX_LAYERS, _recipe_model().num_layers, "Depth (layers)",
            "How many layers are stacked. After k layers a node has heard from all nodes within k edges.",
        )  # fmt: skip
    with seed:
        whole(
            "seed", 0, MAX_SEED, _recipe_training().seed, "Seed",
            "Decides initial weights and what dropout hides. Same seed, same run: on a CPU to the last bit.",
        )  # fmt: skip
    remedies = remedy_field(model, depth)
    if remedies:
        st.caption(explained(remedies))
    config = _details(remedies)
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


def _details(remedies: tuple[str, ...]) -> RunConfig:
    """Draw everything else, folded, and return the run."""
    with st.expander("Data, model and training in detail", icon=":material/tune:"):
        data, model, objective, optimiser = st.columns(4, gap="medium")
        with data:
            st.markdown("**Data**")
            dataset = data_fields(PRESETS[st.session_state.preset].normalisation)
        with objective:
            st.markdown("**Objective**")
            aim, pairs = objective_fields(_recipe_training())
        with model:
            st.markdown("**Model**")
            spec = MODELS[st.session_state.model]
            st.caption(f"{spec.help} ({spec.paper})")
            layers = model_fields(_recipe_model(), remedies, needs_head=OBJECTIVES[aim].uses_pairs)
        with optimiser:
            st.markdown("**Optimiser (Adam)**")
            training, device = optimiser_fields(_recipe_training(), aim, pairs)
    return RunConfig(dataset, layers, training, device, engine().threads)


def published() -> tuple[dict[str, object], dict[str, object]]:
    """Return the form's values and their defaults, for the address."""
    defaults = {
        **_recipe_values(),
        **data_defaults(),
        "preset": _FIRST_PRESET,
        "device": engine().devices[0],
    }
    return {key: st.session_state.get(key) for key in defaults}, defaults


def _recipe_model() -> ModelConfig:
    return PRESETS[st.session_state.preset].model


def _recipe_training() -> TrainConfig:
    return PRESETS[st.session_state.preset].training


def _recipe_values() -> dict[str, object]:
    """Return what the chosen recipe says of each field, by the field's key."""
    model = _recipe_model()
    return {
        "norm": PRESETS[st.session_state.preset].normalisation,
        "model": model.model,
        "depth": model.num_layers,
        **model_defaults(model),
        **training_defaults(_recipe_training()),
    }


def _follow_preset() -> None:
    """Set every field to the recipe when another one was chosen; not when a link brought it."""
    before = st.session_state.get("form_preset")
    st.session_state.form_preset = st.session_state.preset
    if before not in (None, st.session_state.preset):
        st.session_state.update(_recipe_values())
