"""Against depth: the runs of one recipe, published values behind them, and the sweep's queue."""

from collections.abc import Mapping, Sequence

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.engine.layer_measures import last_hidden_measure
from gnnviz.figures.depth import MeasureAxis, accuracy_against_depth
from gnnviz.figures.depth_points import DepthPoint, depth_finding
from gnnviz.findings import chance_levels, in_time
from gnnviz.other_remedies import rows_with_other_remedies, with_other_remedies
from gnnviz.published import PUBLISHED, Published, closest, compares_with, split_warning
from gnnviz.smoothing import METRICS
from gnnviz.sweeps import (
    SweepPlan,
    depth_points,
    of_one_recipe,
)
from pages.laboratory.measure import MATCHED, MEASURE, chosen_measure
from pages.shared import url
from pages.shared.background import (
    ask,
    cancel,
    graph,
    known_configs,
    pause,
    plan_of,
    resume,
    time_left,
)
from pages.shared.components.plotly_chart import draw
from pages.shared.look import current_theme
from pages.shared.selection import UNHURRIED, live

PUBLISHED_SWITCH, ROWS = "published", "printed"
_SWITCH = {"off": "off", "on": "on"}
_HOW_TO_READ = (
    "How to read it: a mark is all finished runs with one depth that share the recipe of the run above: same "
    "data, split, width, dropout, activation and optimiser. Below, the chosen measure in their last hidden "
    "layer at the best epoch (with one layer: in the logits). It need not follow the accuracy; and where "
    "both fall, that does not yet say that one causes the other. Faint hollow marks are the same recipe with "
    "other remedies, or published values."
)


def depths(config: RunConfig) -> None:
    """Draw accuracy and the chosen measure against depth; `pick_measure` has been drawn.

    Args:
        config: a run of the recipe that is looked at.
    """
    claim = st.container()
    published = _pick_published(config) if compares_with(config.dataset) else ()
    with claim:
        live("depth-claim", lambda: _claim(config), UNHURRIED)
    live("depths", lambda: _against_depth(config, published), UNHURRIED)


def _pick_published(config: RunConfig) -> tuple[Published, ...]:
    """Draw the switch of the published values and the choice among them; return those to be drawn."""
    switch, rows = st.columns([1.2, 5], gap="medium", vertical_alignment="bottom")
    url.choice(PUBLISHED_SWITCH, list(_SWITCH), "off", "switch of published values")
    is_on = switch.segmented_control(
        "Published values",
        list(_SWITCH),
        key=PUBLISHED_SWITCH,
        required=True,
        persist_state="session",
        help="Accuracies that papers print for Cora, as faint hollow marks. Point at one for its source.",
    )
    if is_on != "on":
        return ()
    url.several(ROWS, list(PUBLISHED), closest(config.model), "published row")
    chosen = rows.multiselect(
        "Rows",
        list(PUBLISHED),
        key=ROWS,
        format_func=lambda name: PUBLISHED[name].label,
        persist_state="session",
        placeholder="none",
    )
    st.caption(f":material/menu_book: {split_warning(config.dataset)}")
    return tuple(PUBLISHED[name] for name in chosen)


def _plan(config: RunConfig) -> SweepPlan:
    return plan_of(of_one_recipe(config, known_configs()))


def _claim(config: RunConfig) -> bool:
    """Say what depth does to accuracy; return whether that may change."""
    plan = _plan(config)
    own = [point for point in _points(plan, {}) if point.model == config.model.model]
    chance = chance_levels(graph(config.dataset))
    st.subheader(depth_finding(own, [point.depth for point in own], chance))
    return bool(plan.active)


def _points(plan: SweepPlan, measured: Mapping[str, float | None]) -> tuple[DepthPoint, ...]:
    """Return what is known at each depth; what waits or is paused is still to come."""
    runs = [*plan.done, *plan.active, *plan.paused]
    return depth_points(runs, [plan.statuses[run] for run in runs], measured)


def _against_depth(config: RunConfig, published: Sequence[Published]) -> bool:
    """Draw the runs of one recipe against depth; return whether more comes."""
    plan = _plan(config)
    answers = {
        run.run_id: ask(last_hidden_measure, run.run_id, chosen_measure(run), patience=0) for run in plan.done
    }
    measured = {run_id: answer.value for run_id, answer in answers.items() if answer}
    _picture(config, _points(plan, measured), [*published, *_other_remedies(config)])
    st.caption(_HOW_TO_READ)
    reasons = {answer.reason for answer in answers.values() if answer and answer.value is None}
    for reason in sorted(reasons):
        st.info(f"A run is not in the lower picture, for its last hidden layer has no value: {reason}.")
    _progress(plan)
    return bool(plan.active) or None in answers.values()


def _other_remedies(config: RunConfig) -> tuple[Published, ...]:
    plan = plan_of(with_other_remedies(config, known_configs()))
    return rows_with_other_remedies(config, plan.statuses)


def _picture(config: RunConfig, points: Sequence[DepthPoint], published: Sequence[Published]) -> None:
    """Draw accuracy against depth, and the measure below."""
    metric = METRICS[chosen_measure(config)]
    is_alone = all(point.model == config.model.model for point in points)
    own_energies = st.session_state[MEASURE] == MATCHED and not is_alone
    label = "each model's own energy" if own_energies else metric.label
    draw(
        accuracy_against_depth(
            points,
            current_theme(),
            title="",
            expected_depths=sorted({point.depth for point in points}),
            chance=chance_levels(graph(config.dataset)),
            measure=MeasureAxis(f"{label},<br>last hidden layer", log=metric.scale == "log"),
            published=published,
        ),
        "against-depth",
    )


def _progress(plan: SweepPlan) -> None:
    """Say quietly how far the sweep is; offer to pause or cancel what has not begun, and to go on."""
    waiting, paused = ([run.run_id for run in runs] for runs in (plan.waiting, plan.paused))
    if not plan.active and not paused:
        return
    words, hold, drop = st.columns([4, 1, 1.2], vertical_alignment="center")
    words.caption(_in_words(plan, len(waiting), len(paused)))
    if paused:
        hold.button(
            "Resume", on_click=resume, args=(paused,), icon=":material/play_arrow:", width="stretch",
            help="Puts the paused runs back into the queue, in their order.",
        )  # fmt: skip
    elif waiting:
        hold.button(
            "Pause", on_click=pause, args=(waiting,), icon=":material/pause:", width="stretch",
            help="Holds the runs that have not begun; what is running goes on to its end.",
        )  # fmt: skip
    if waiting or paused:
        drop.button(
            "Cancel waiting", on_click=cancel, args=([*waiting, *paused],), icon=":material/stop:",
            width="stretch",
            help="Takes the runs that have not begun out of the queue; what is running goes on.",
        )  # fmt: skip


def _in_words(plan: SweepPlan, waiting: int, paused: int) -> str:
    total = len(plan.done) + len(plan.active) + paused
    left = time_left(plan)
    parts = [
        f"{len(plan.done)} of {total} runs of this recipe are trained",
        f"{waiting} are waiting" if waiting else "",
        f"{paused} are paused" if paused else "",
        f"about {in_time(left)} left" if left is not None and plan.active else "",
    ]
    icon = ":material/sync:" if plan.active else ":material/pause_circle:"
    return f"{icon} {', '.join(part for part in parts if part)}."
