"""Measures of over-smoothing through the layers of a run, and against depth for the runs of its recipe."""

from collections.abc import Mapping, Sequence

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.engine.layer_measures import (
    equal_rows_value,
    feature_measure,
    last_hidden_measure,
    layer_measures,
)
from gnnviz.figures.depth import MeasureAxis, accuracy_against_depth
from gnnviz.figures.depth_points import depth_finding
from gnnviz.figures.layers import NO_VALUES, layer_curves
from gnnviz.figures.reference_lines import Reference
from gnnviz.findings import chance_levels, in_time
from gnnviz.metric import Metric
from gnnviz.models import MODELS
from gnnviz.profiles import (
    LayerProfile,
    Moment,
    gradient_profiles,
    layers_finding,
    missing_values,
    moments,
    standard_measures,
)
from gnnviz.runs import RunState
from gnnviz.smoothing import METRICS, matched_rayleigh
from gnnviz.sweeps import SweepPlan, depth_points, of_one_recipe, sweep_plan, sweep_seconds_left
from pages.shared import sweep_form, url
from pages.shared.background import ask, engine, graph, history, run_config, run_store
from pages.shared.components.plotly_chart import draw
from pages.shared.look import current_theme
from pages.shared.selection import RUN, live, pick_run
from pages.shared.tour import link

MATCHED = "matched"
_ALL_ROWS_EQUAL = (
    "If all nodes had the same row, this measure would not be 0 but on the dotted line; whether they have, "
    "MAD tells, which is then 0."
)
_GRADIENT = (
    "Norm of the loss's gradient in each layer's weights. Small: the layer hardly learns; if all are small, "
    "the signal does not get through. (Glorot & Bengio, AISTATS 2010)"
)
_HOW_TO_READ_DEPTHS = (
    "How to read it: a mark is all finished runs with one depth that share the recipe of the run above: same "
    "data, split, width, dropout, activation and optimiser. Below, the chosen measure in their last hidden "
    "layer at the best epoch (with one layer: in the logits). That both fall together does not yet say that "
    "one causes the other."
)
BRIEFLY = 0.05  # seconds to wait for one of many answers: the page asks a dozen questions
CHEAP = [name for name, metric in METRICS.items() if metric.cost == "fast"]


def page() -> None:
    """Draw the page."""
    run_id = pick_run()
    if run_id is None:
        st.header("No run has been trained yet")
        link("training", "Train one", "Choose a model and a depth, and watch it learn.")
        return
    config = run_config(run_id)
    headline = st.container()
    measure = _pick_measure(config)
    shown = _moments(config)
    pictures = st.container()
    sweep_form.sweep_form(config)
    values, defaults = sweep_form.published(config)
    url.publish(
        {RUN: run_id, "measure": st.session_state.measure, **values}, {"measure": MATCHED, **defaults}
    )
    with headline:
        live("headline", lambda: _headline(config, shown, measure))
    with pictures:
        live("layers", lambda: _layers(config, shown, measure))
        link("embeddings", "See these layers as pictures", "All nodes in each hidden state.", run=run_id)
        live("panels", lambda: _panels(config, shown))
        live("depths", lambda: _against_depth(config))


def _pick_measure(config: RunConfig) -> str:
    """Draw the picker of the measure, and what is known about it; return its key in METRICS."""
    options = [MATCHED, *CHEAP]
    url.choice("measure", options, MATCHED, "measure")
    name = _chosen_measure(config)
    metric = METRICS[name]
    picker, formula = st.columns([2, 3], gap="large", vertical_alignment="bottom")
    picker.selectbox(
        "Measure",
        options,
        key="measure",
        format_func=lambda key: (
            "Normalised energy that fits the model" if key == MATCHED else METRICS[key].label
        ),
        persist_state="session",
        help="What is measured in each layer. The energy that fits a model is 0 where its layers smooth to: "
        "GCN's rows follow the root of the degree, the rows of the others become equal. The same choice is "
        "shown against depth below.",
    )
    formula.markdown(f"${metric.formula}$")
    st.caption(f"{metric.help} {_direction(metric)} ({metric.paper})")
    return name


def _direction(metric: Metric) -> str:
    return f"{metric.direction[0].upper()}{metric.direction[1:]}."


def _moments(config: RunConfig) -> tuple[Moment, ...]:
    store = run_store()
    return moments(store.checkpoints(config.run_id), store.status(config.run_id).best)


def _profiles(
    config: RunConfig, shown: Sequence[Moment], measures: tuple[str, ...]
) -> dict[str, list[LayerProfile]] | None:
    """Return each measure's layers at each moment; None while one is still being computed."""
    found: dict[str, list[LayerProfile]] = {name: [] for name in measures}
    answers = [
        (moment, ask(layer_measures, config.run_id, moment.epoch, measures, patience=BRIEFLY))
        for moment in shown
    ]
    for moment, answer in answers:
        if answer is None:
            return None
        for name, layers in zip(measures, answer, strict=True):
            found[name].append(LayerProfile(moment, layers))
    return found


def _headline(config: RunConfig, shown: Sequence[Moment], measure: str) -> bool:
    """Draw the claim; return whether it may still change.

    While the run is trained this small part alone looks for new checkpoints, and has the page drawn again
    for each.
    """
    if _moments(config) != tuple(shown):
        st.rerun()
    profiles = _profiles(config, shown, (measure,))
    st.header(layers_finding(METRICS[measure], config, profiles[measure] if profiles else ()))
    return profiles is None or run_store().status(config.run_id).state.is_active


def _layers(config: RunConfig, shown: Sequence[Moment], measure: str) -> bool:
    """Draw the chosen measure through the layers; return whether it is still being computed."""
    metric = METRICS[measure]
    profiles = _profiles(config, shown, (measure,))
    features = ask(feature_measure, config.dataset, measure, slow=True)
    equal_rows = ask(equal_rows_value, config.dataset, measure, patience=BRIEFLY)
    draw(
        layer_curves(
            profiles[measure] if profiles else (),
            current_theme(),
            label=metric.label,
            log=metric.scale == "log",
            model=config.model.model,
            features=features,
            references=() if equal_rows is None else (Reference(equal_rows, "all rows equal"),),
            reason=NO_VALUES if profiles is not None else "Measuring the layers ...",
        ),
        "layers",
    )
    st.caption(
        "How to read it: from left to right what each layer passes on, the activation included; the last are "
        "the logits, one channel a class. Grey is the network before its first step, filled marks are after "
        "training, at the epoch that validation chose and at the last one."
        + (f" {_ALL_ROWS_EQUAL}" if equal_rows is not None else "")
    )
    _notes(config, missing_values(profiles[measure] if profiles else ()))
    return profiles is None or features is None


def _notes(config: RunConfig, sentences: Sequence[str]) -> None:
    """Say what is not in the picture, and what must not be read out of it."""
    model = MODELS[config.model.model]
    for sentence in sentences:
        st.info(sentence, icon=":material/info:")
    if not model.uses_graph:
        st.info(
            f"{model.label} never looks at the edges: nothing here is smoothing by the graph. What falls "
            "all the same falls by weights, biases and activations, and is the control for the others.",
            icon=":material/link_off:",
        )
    if config.model.num_layers == 1:
        st.info("With one layer there is no hidden layer: what is measured are the logits.")


def _panels(config: RunConfig, shown: Sequence[Moment]) -> bool:
    """Draw the standard measures and the gradients; return whether they are still being computed."""
    st.subheader("The same layers, measured in other ways")
    names = standard_measures(config.model)
    profiles = _profiles(config, shown, names)
    if profiles is None:
        st.caption(":material/sync: Measuring ...")
        return True
    columns = [*st.columns(3, gap="medium"), *st.columns(3, gap="medium")]
    for place, name in zip(columns, names, strict=False):
        metric = METRICS[name]
        with place:
            words = f"{metric.help} {_direction(metric)} ({metric.paper})"
            _panel(config, name, metric.label, profiles[name], words, log=metric.scale == "log")
    with columns[-1]:
        best = run_store().status(config.run_id).best
        gradients = gradient_profiles(history(config.run_id), best)
        _panel(config, "gradient", "Gradient", gradients, _GRADIENT, log=True)
    return False


def _panel(
    config: RunConfig, name: str, label: str, profiles: Sequence[LayerProfile], words: str, *, log: bool
) -> None:
    """Draw one small picture of all layers, and what it says."""
    draw(
        layer_curves(profiles, current_theme(), label=label, log=log, model=config.model.model, small=True),
        f"panel-{name}",
    )
    st.caption(words)
    for sentence in missing_values(profiles):
        st.caption(f":material/info: {sentence}")


def _against_depth(config: RunConfig) -> bool:
    """Draw the runs of one recipe against depth; return whether more comes."""
    runs = [run_config(run_id) for run_id in run_store().run_ids()]
    plan = sweep_plan(run_store(), of_one_recipe(config, runs))
    answers = {
        run.run_id: ask(last_hidden_measure, run.run_id, _chosen_measure(run), patience=0)
        for run in plan.done
    }
    _depth_picture(config, plan, {run_id: answer.value for run_id, answer in answers.items() if answer})
    st.caption(_HOW_TO_READ_DEPTHS)
    reasons = {answer.reason for answer in answers.values() if answer and answer.value is None}
    for reason in sorted(reasons):
        st.info(f"A run is not in the lower picture, for its last hidden layer has no value: {reason}.")
    if plan.active:
        _progress(plan)
    return bool(plan.active) or None in answers.values()


def _depth_picture(config: RunConfig, plan: SweepPlan, measured: Mapping[str, float | None]) -> None:
    """Draw what depth does to accuracy, as a sentence and as a picture, and the measure below."""
    runs = [*plan.done, *plan.active]
    points = depth_points(runs, [run_store().status(run.run_id) for run in runs], measured)
    chance = chance_levels(graph(config.dataset))
    own = [point for point in points if point.model == config.model.model]
    st.subheader(depth_finding(own, [point.depth for point in own], chance))
    metric = METRICS[_chosen_measure(config)]
    own_energies = st.session_state.measure == MATCHED and len(own) < len(points)
    label = "each model's own energy" if own_energies else metric.label
    draw(
        accuracy_against_depth(
            points,
            current_theme(),
            title="",
            expected_depths=sorted({point.depth for point in points}),
            chance=chance,
            measure=MeasureAxis(f"{label},<br>last hidden layer", log=metric.scale == "log"),
        ),
        "against-depth",
    )


def _chosen_measure(config: RunConfig) -> str:
    chosen = st.session_state.measure
    return matched_rayleigh(config.model) if chosen == MATCHED else chosen


def _progress(plan: SweepPlan) -> None:
    """Say quietly how far the sweep is, and offer to cancel what has not begun."""
    left = sweep_seconds_left(
        plan.active, [history(run.run_id) for run in plan.active], engine().train_workers
    )
    waiting = [run.run_id for run in plan.active if run_store().status(run.run_id).state is RunState.QUEUED]
    words, action = st.columns([4, 1], vertical_alignment="center")
    words.caption(
        f":material/sync: {len(plan.done)} of {len(plan.done) + len(plan.active)} runs of this recipe are "
        f"trained, {len(waiting)} are waiting{f', about {in_time(left)} left' if left is not None else ''}."
    )
    if waiting:
        action.button(
            "Cancel waiting",
            on_click=_cancel,
            args=(waiting,),
            icon=":material/stop:",
            help="Takes the runs that have not begun out of the queue; what is running goes on.",
        )


def _cancel(run_ids: Sequence[str]) -> None:
    for run_id in run_ids:
        engine().cancel(run_id)


page()
