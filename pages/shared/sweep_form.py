"""The form that queues a sweep: one recipe with several models, depths and seeds."""

import shutil
from collections.abc import Sequence
from dataclasses import replace

import psutil
import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.figures.layout import listed
from gnnviz.findings import in_time
from gnnviz.models import MAX_LAYERS, MODELS
from gnnviz.presets import PRESETS
from gnnviz.remedies import REMEDIES
from gnnviz.run_table import in_megabytes
from gnnviz.sweep_cost import SweepCost, sweep_cost
from gnnviz.sweeps import SweepPlan, of_one_recipe, seconds_to_train, sweep
from pages.shared import url
from pages.shared.background import engine, graph, known_configs, plan_of, runs_on, store_root, submit
from pages.shared.fields import KEEP, pick_records, select, whole
from pages.shared.selection import UNHURRIED, live, look_at

SELECTED = "selected"
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
        recipe, remedy, seeds = st.columns([3, 5, 1.4], vertical_alignment="bottom")
        models, depths = st.columns(2, vertical_alignment="bottom")
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
        with remedy:
            remedies = pick_records(
                "sweep_remedies", REMEDIES, (), "Remedies, each by itself",
                "Beside the recipe as it is; where a model or a depth cannot have one, it is left out.",
            )  # fmt: skip
        base = _base(selected, preset)
        configs = sweep(base, chosen_models, [int(depth) for depth in chosen_depths], count, remedies)
        live("sweep", lambda: _offer(configs, base), UNHURRIED)


def published(selected: RunConfig) -> tuple[dict[str, object], dict[str, object]]:
    """Return the form's values and their defaults, for the address."""
    defaults: dict[str, object] = {
        "recipe": SELECTED,
        "models": [selected.model.model],
        "depths": list(_DEFAULT_DEPTHS),
        "seeds": 1,
        "sweep_remedies": [],
    }
    return {key: st.session_state.get(key) for key in defaults}, defaults


def _arrives() -> bool:
    """Return whether the address describes a sweep."""
    return any(key in st.query_params for key in ("recipe", "models", "depths", "seeds", "sweep_remedies"))


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
        like_it = of_one_recipe(selected, known_configs())
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
    plan = plan_of(configs)
    words, action = st.columns([5, 1.6], vertical_alignment="center")
    cost = _cost(plan) if plan.missing else None
    words.markdown(_in_words(plan, cost))
    reasons = (
        cost.reasons_to_ask(psutil.virtual_memory().available, shutil.disk_usage(store_root().parent).free)
        if cost
        else ()
    )
    sure = not reasons or st.checkbox(f"Really: {listed(reasons)}")
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


def _cost(plan: SweepPlan) -> SweepCost:
    """Return what the missing runs will take."""
    known = runs_on(plan.missing[0].dataset.name)
    seconds = seconds_to_train(plan.missing, known, engine().train_workers)
    data = graph(plan.missing[0].dataset)
    return sweep_cost(
        plan.missing, seconds, engine().train_workers,
        num_nodes=data.num_nodes, num_features=data.num_features, num_classes=data.num_classes,
    )  # fmt: skip


def _in_words(plan: SweepPlan, cost: SweepCost | None) -> str:
    total = len(plan.done) + len(plan.active) + len(plan.missing)
    if not total:
        return "Choose at least one model and one depth."
    parts = [
        f"**{len(plan.new)}** new",
        f"{len(plan.stopped)} to be continued" if plan.stopped else "",
        f"{len(plan.done)} already trained",
        f"{len(plan.active)} already queued" if plan.active else "",
    ]
    noun = "run" if total == 1 else "runs"
    return f"{total} {noun}: {', '.join(part for part in parts if part)}.{_told(cost) if cost else ''}"


def _told(cost: SweepCost) -> str:
    """Say what the missing runs will take."""
    time = (
        f" About **{in_time(cost.seconds)}** at the pace of earlier runs,"
        if cost.seconds is not None
        else " About"
    )
    return f"{time} {in_megabytes(cost.memory)} of memory and {in_megabytes(cost.disk)} on disk."


@url.saying_why_not
def _queue(configs: Sequence[RunConfig], base: RunConfig) -> None:
    """Queue the runs and look at one of their recipe, so that the picture against depth shows them."""
    submit(configs)
    own = [config for config in configs if config.model.model == base.model.model]
    look_at((own or list(configs))[0].run_id)
