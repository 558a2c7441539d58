"""Through the layers: a measure in every layer of a run, beside its controls and what theory says."""

from collections.abc import Sequence
from functools import lru_cache

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.controls import DEFAULT_LINES, line_help, line_label, lines_for
from gnnviz.engine.layer_measures import equal_rows_value, feature_measure, layer_measures
from gnnviz.figures.layers import NO_VALUES, layer_curves
from gnnviz.figures.reference_lines import Reference
from gnnviz.models import MODELS
from gnnviz.profiles import (
    Extent,
    LayerProfile,
    Moment,
    chosen_moments,
    gradient_profiles,
    layers_finding,
    missing_values,
    moments,
    raw_and_normalised,
    standard_measures,
)
from gnnviz.smoothing import METRICS
from pages.laboratory.comparison import Compared, compared, explain_lines
from pages.laboratory.measure import explained, pick_measure
from pages.shared import url
from pages.shared.background import ask, history, look, run_store
from pages.shared.components.plotly_chart import draw
from pages.shared.look import current_theme
from pages.shared.selection import live, run_caption
from pages.shared.tour import link

LINES, OTHERS, EXTENT, VALUES = "lines", "others", "extent", "values"
MOST_OTHERS = 4  # more lines cannot be told apart from the back row
EXTENTS: dict[Extent, str] = {"whole": "all nodes", "largest": "largest component"}
VALUE_CHOICES = {"one": "as chosen", "both": "both forms"}
BRIEFLY = 0.05  # seconds to wait for one of many answers: the page asks a dozen questions
_ALL_ROWS_EQUAL = (
    "If all nodes had the same row, this measure would not be 0 but on the dotted line; whether they have, "
    "MAD tells, which is then 0."
)
_GRADIENT = (
    "Norm of the loss's gradient in each layer's weights. Small: the layer hardly learns; if all are small, "
    "the signal does not get through. (Glorot & Bengio, AISTATS 2010)"
)
_HOW_TO_READ = (
    "How to read it: from left to right what each layer passes on, the activation included; the last of "
    "each line are the logits, one channel a class. Grey and hollow is the network before its first step, "
    "filled marks are after training. Dashed and dotted lines are what to compare with: point at one and it "
    "explains itself."
)


def layers(config: RunConfig) -> None:
    """Draw a run's layers under the chosen measure, the controls above, the standard measures below.

    Args:
        config: the run that is looked at.
    """
    headline = st.container()
    measure = pick_measure(config)
    lines, extent, both = _controls(config)
    others = _pick_others(config)
    shown = _moments(config)
    with headline:
        live("headline", lambda: _headline(config, shown, measure))
    pair = raw_and_normalised(measure) if both else None
    if pair:
        raw, normalised = st.columns(2, gap="medium")
        with normalised:
            live("layers", lambda: _layers(config, shown, pair[1], lines, others, extent))
        with raw:
            live("layers-raw", lambda: _layers(config, shown, pair[0], lines, others, extent, "layers-raw"))
    else:
        live("layers", lambda: _layers(config, shown, measure, lines, others, extent))
    if both and not pair:
        st.caption(f":material/info: {METRICS[measure].label} comes in one form only.")
    live("lines", lambda: _explain(config, lines, measure, extent))
    link("embeddings", "See these layers as pictures", "All nodes in each hidden state.", run=config.run_id)
    live("panels", lambda: _panels(config, shown, extent))


def _controls(config: RunConfig) -> tuple[tuple[str, ...], Extent, bool]:
    """Draw what is chosen beside the measure; return the lines, the nodes, and whether raw values, too."""
    picker, nodes, values = st.columns([4, 2.7, 2], gap="medium", vertical_alignment="bottom")
    options = lines_for(config.model)
    if LINES in st.session_state:
        st.session_state[LINES] = [name for name in st.session_state[LINES] if name in options]
    url.several(LINES, options, DEFAULT_LINES, "line")
    chosen = picker.multiselect(
        "Lines",
        options,
        key=LINES,
        format_func=line_label,
        persist_state="session",
        placeholder="none",
        help="What is drawn together. A few lines at a time can be read from the back row.\n\n"
        + "\n\n".join(f"**{line_label(name)}**: {line_help(name)}" for name in options),
    )
    url.choice(EXTENT, list(EXTENTS), "whole", "part of the graph")
    extent = nodes.segmented_control(
        "Measured on",
        list(EXTENTS),
        key=EXTENT,
        format_func=EXTENTS.__getitem__,
        required=True,
        persist_state="session",
        help="The network always sees the whole graph. In a graph of many components averaging has one limit "
        "for each of them; the largest component alone has clean limits.",
    )
    url.choice(VALUES, list(VALUE_CHOICES), "one", "form of the values")
    form = values.segmented_control(
        "Values",
        list(VALUE_CHOICES),
        key=VALUES,
        format_func=VALUE_CHOICES.__getitem__,
        required=True,
        persist_state="session",
        help="A raw energy falls when neighbours become alike, and just as well when the signal fades. "
        "Beside the same energy over |X|² one sees which of them it was.",
    )
    return tuple(chosen), extent or "whole", form == "both"


def _pick_others(config: RunConfig) -> tuple[RunConfig, ...]:
    """Draw the choice of more runs on this graph, if there are any; return those to be drawn."""
    runs = {
        run.run_id: run
        for run, status in look().items()
        if run.dataset == config.dataset and run != config and status.best is not None
    }
    if OTHERS in st.session_state:
        st.session_state[OTHERS] = [run_id for run_id in st.session_state[OTHERS] if run_id in runs]
    url.several(OTHERS, list(runs), (), "run to draw beside this one")
    if not runs:
        return ()
    chosen = st.multiselect(
        "Beside other runs on this graph",
        list(runs),
        key=OTHERS,
        format_func=lambda run_id: run_caption(run_id, runs[run_id]),
        persist_state="session",
        max_selections=MOST_OTHERS,
        placeholder="none",
        help="Each is drawn at its best epoch, under the measure of the run above: other models, depths, "
        "seeds or remedies.",
    )
    return tuple(runs[run_id] for run_id in chosen)


def _moments(config: RunConfig) -> tuple[Moment, ...]:
    store = run_store()
    return moments(store.checkpoints(config.run_id), store.status(config.run_id).best)


def _profiles(
    config: RunConfig, shown: Sequence[Moment], measures: tuple[str, ...], extent: Extent
) -> dict[str, list[LayerProfile]] | None:
    """Return each measure's layers at each moment; None while one is still being computed."""
    found: dict[str, list[LayerProfile]] = {name: [] for name in measures}
    answers = [
        (moment, ask(layer_measures, config.run_id, moment.epoch, measures, extent, patience=BRIEFLY))
        for moment in shown
    ]
    for moment, answer in answers:
        if answer is None:
            return None
        for name, values in zip(measures, answer, strict=True):
            found[name].append(LayerProfile(moment, values))
    return found


def _headline(config: RunConfig, shown: Sequence[Moment], measure: str) -> bool:
    """Draw the claim; return whether it may still change.

    While the run is trained this small part alone looks for new checkpoints, and has the page drawn again
    for each.
    """
    if _moments(config) != tuple(shown):
        st.rerun()
    profiles = _profiles(config, shown, (measure,), "whole")
    st.header(layers_finding(METRICS[measure], config, profiles[measure] if profiles else ()))
    return profiles is None or run_store().status(config.run_id).state.is_active


def _layers(
    config: RunConfig,
    shown: Sequence[Moment],
    measure: str,
    lines: Sequence[str],
    others: Sequence[RunConfig],
    extent: Extent,
    key: str = "layers",
) -> bool:
    """Draw a measure through the layers; return whether something in it is still being computed."""
    metric = METRICS[measure]
    profiles = _profiles(config, chosen_moments(shown, lines), (measure,), extent)
    features = ask(feature_measure, config.dataset, measure, extent, slow=True)
    equal_rows = ask(equal_rows_value, config.dataset, measure, extent, patience=BRIEFLY)
    behind = compared(config, lines, others, measure, extent)
    floor = () if equal_rows is None else (Reference(equal_rows, "all rows equal", _ALL_ROWS_EQUAL),)
    draw(
        layer_curves(
            profiles[measure] if profiles else (),
            current_theme(),
            label=metric.label,
            log=metric.scale == "log",
            model=config.model.model,
            features=features,
            references=(*floor, *behind.levels),
            comparisons=behind.curves,
            marks=behind.marks,
            reason=NO_VALUES if profiles is not None else "Measuring the layers ...",
        ),
        key,
    )
    _say(missing_values(profiles[measure] if profiles else ()), behind)
    return profiles is None or features is None or bool(behind.awaited)


def _say(gaps: Sequence[str], behind: Compared) -> None:
    """Say what is not in the picture."""
    if behind.awaited:
        st.caption(f":material/sync: Being computed: {', '.join(behind.awaited)}.")
    for sentence in gaps:
        st.info(sentence, icon=":material/info:")


def _explain(config: RunConfig, lines: Sequence[str], measure: str, extent: Extent) -> bool:
    """Say how the picture is read, what its lines are, and what must not be read out of it.

    Returns:
        Whether a line is still being computed.
    """
    equal_rows = ask(equal_rows_value, config.dataset, measure, extent, patience=BRIEFLY)
    st.caption(_HOW_TO_READ + (f" {_ALL_ROWS_EQUAL}" if equal_rows is not None else ""))
    model = MODELS[config.model.model]
    if not model.uses_graph:
        st.info(
            f"{model.label} never looks at the edges: nothing here is smoothing by the graph. What falls "
            "all the same falls by weights, biases and activations, and is the control for the others.",
            icon=":material/link_off:",
        )
    if config.model.num_layers == 1:
        st.info("With one layer there is no hidden layer: what is measured are the logits.")
    return explain_lines(config, lines, measure, extent)


_small_curves = lru_cache(maxsize=256)(layer_curves)  # most of them are the same at the next drawing


def _panels(config: RunConfig, shown: Sequence[Moment], extent: Extent) -> bool:
    """Draw the standard measures and the gradients; return whether they are still being computed."""
    st.subheader("The same layers, measured in other ways")
    names = standard_measures(config.model)
    profiles = _profiles(config, shown, names, extent)
    if profiles is None:
        st.caption(":material/sync: Measuring ...")
        return True
    columns = [*st.columns(3, gap="medium"), *st.columns(3, gap="medium")]
    for place, name in zip(columns, names, strict=False):
        metric = METRICS[name]
        with place:
            _panel(config, name, metric.label, profiles[name], explained(metric), log=metric.scale == "log")
    with columns[-1]:
        best = run_store().status(config.run_id).best
        gradients = gradient_profiles(history(config.run_id), best)
        _panel(config, "gradient", "Gradient", gradients, _GRADIENT, log=True)
    return False


def _panel(
    config: RunConfig, name: str, label: str, profiles: Sequence[LayerProfile], words: str, *, log: bool
) -> None:
    """Draw one small picture of all layers, and what it says."""
    figure = _small_curves(
        tuple(profiles), current_theme(), label=label, log=log, model=config.model.model, small=True
    )
    draw(figure, f"panel-{name}")
    st.caption(words)
    for sentence in missing_values(profiles):
        st.caption(f":material/info: {sentence}")
