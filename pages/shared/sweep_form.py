"""The form that queues a sweep: one recipe with several models, depths and seeds."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.findings import in_time
from gnnviz.models import MAX_LAYERS, MODELS
from gnnviz.presets import PRESETS
from gnnviz.runs import RunStatus
from gnnviz.sweeps import SweepPlan, of_one_recipe, seconds_to_train, sweep, sweep_plan
from pages.shared import url
from pages.shared.background import engine, run_config, run_store
from pages.shared.fields import KEEP, select, whole
from pages.shared.selection import live, look_at

SELECTED = "selected"
MANY_RUNS = 60  # beyond this a click too many costs hours
MOST_SEEDS = 20
_DOUBLING = ("1", "2", "4", "8", "16", "32", "64")
_DEPTHS = (*_DOUBLING, *(str(depth) for depth in range(1, MAX_LAYERS + 1) if str(depth) not in _DOUBLING))
_DEFAULT_DEPTHS = ("2", "4", "8", "16")


def sweep_form(selected: RunConfig) -> None:
    """Draw the folded form.

    Args:
        selected: the run that the page looks at; its graph and split are kept.

    Raises:
        ConfigError: a seed that is out of range.
    """
    with st.expander("Queue a sweep", icon=":material/playlist_add:", expanded=_arrives()):
        recipe, models, depths, seeds = st.columns([3, 3, 4, 1.4], vertical_alignment="bottom")
        with recipe:
            preset = _pick_recipe()
        with models:
            url.several("models", list(MODELS), [selected.model.model], "model")
            chosen_models = st.multiselect(
                "Models",
                list(MODELS),
                key="models",
                format_func=lambda key: MODELS[key].label,
                help="Each gets every depth and seed, with the same width, dropout and optimiser.",
                persist_state=KEEP,
            )
        with depths:
            url.several("depths", sorted(_DEPTHS, key=int), _DEFAULT_DEPTHS, "depth")
            chosen_depths = st.multiselect(
                "Depths (layers)",
                _DEPTHS,
                key="depths",
                help="Type any number from 1 to 64 to find it.",
                persist_state=KEEP,
            )
        with seeds:
            count = whole(
                "seeds", 1, MOST_SEEDS, 1, "Seeds",
                "Runs for each model and depth, with the recipe's seed and those after it.",
            )  # fmt: skip
        base = _base(selected, preset)
        configs = sweep(base, chosen_models, [int(depth) for depth in chosen_depths], count)
        live("sweep", lambda: _offer(configs, base))


def published(selected: RunConfig) -> tuple[dict[str, object], dict[str, object]]:
    """Return the form's values and their defaults, for the address."""
    defaults: dict[str, object] = {
        "recipe": SELECTED,
        "models": [selected.model.model],
        "depths": list(_DEFAULT_DEPTHS),
        "seeds": 1,
    }
    return {key: st.session_state.get(key) for key in defaults}, defaults


def _arrives() -> bool:
    """Return whether the address describes a sweep."""
    return any(key in st.query_params for key in ("recipe", "models", "depths", "seeds"))


def _pick_recipe() -> str:
    return select(
        "recipe",
        [SELECTED, *PRESETS],
        SELECTED,
        "Recipe",
        lambda key: "As the run above" if key == SELECTED else PRESETS[key].label,
        "Everything but model, depth and seed. The graph and its split are those of the run above.",
    )


def _base(selected: RunConfig, recipe: str) -> RunConfig:
    """Return a run of the recipe with its first seed, on the selected run's graph."""
    if recipe == SELECTED:
        like_it = of_one_recipe(selected, [run_config(run_id) for run_id in run_store().run_ids()])
        first_seed = min(config.training.seed for config in (selected, *like_it))
        return replace(selected, training=replace(selected.training, seed=first_seed))
    preset = PRESETS[recipe]
    dataset = replace(selected.dataset, normalisation=preset.normalisation)
    return RunConfig(dataset, preset.model, preset.training, engine().devices[0], engine().threads)


def _offer(configs: Sequence[RunConfig], base: RunConfig) -> bool:
    """Say what the sweep would take, and draw the button that queues what is missing.

    Returns:
        Whether some of its runs are under way, so that this may change.
    """
    plan = sweep_plan(run_store(), configs)
    words, confirm, action = st.columns([5, 2, 1.6], vertical_alignment="center")
    words.markdown(_in_words(plan))
    sure = len(plan.missing) <= MANY_RUNS or confirm.checkbox(f"Really queue {len(plan.missing)} runs")
    action.button(
        "Queue sweep",
        type="primary",
        icon=":material/playlist_add:",
        on_click=_queue,
        args=(plan.missing, base),
        disabled=not plan.missing or not sure,
        help="Trains in the background, the shallow ones first. What is finished is not trained again.",
        width="stretch",
    )
    return bool(plan.active)


def _in_words(plan: SweepPlan) -> str:
    total = len(plan.done) + len(plan.active) + len(plan.missing)
    if not total:
        return "Choose at least one model and one depth."
    parts = [
        f"**{len(plan.new)}** new",
        f"{len(plan.stopped)} to be continued" if plan.stopped else "",
        f"{len(plan.done)} already trained",
        f"{len(plan.active)} already queued" if plan.active else "",
    ]
    seconds = seconds_to_train(plan.missing, _known(plan), engine().train_workers) if plan.missing else None
    pace = f" At the pace of earlier runs about **{in_time(seconds)}**." if seconds is not None else ""
    noun = "run" if total == 1 else "runs"
    return f"{total} {noun}: {', '.join(part for part in parts if part)}.{pace}"


def _known(plan: SweepPlan) -> list[tuple[RunConfig, RunStatus]]:
    """Return the runs on the same graph, which say how long an epoch takes."""
    name = plan.missing[0].dataset.name
    configs = [run_config(run_id) for run_id in run_store().run_ids()]
    return [(config, run_store().status(config.run_id)) for config in configs if config.dataset.name == name]


def _queue(configs: Sequence[RunConfig], base: RunConfig) -> None:
    """Queue the runs and look at one of their recipe, so that the picture against depth shows them."""
    for config in configs:
        engine().submit(config)
    own = [config for config in configs if config.model.model == base.model.model]
    look_at((own or list(configs))[0].run_id)
