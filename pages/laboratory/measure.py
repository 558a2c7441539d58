"""The measure that the views of the laboratory share: its picker, and what is known about it."""

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.metric import Metric
from gnnviz.smoothing import METRICS, matched_rayleigh
from pages.shared import url

MEASURE = "measure"
MATCHED = "matched"
_CHEAP = [name for name, metric in METRICS.items() if metric.cost == "fast"]


def pick_measure(config: RunConfig) -> str:
    """Draw the picker of the measure, and what is known about it; return its key in METRICS."""
    options = [MATCHED, *_CHEAP]
    url.choice(MEASURE, options, MATCHED, "measure")
    name = chosen_measure(config)
    metric = METRICS[name]
    picker, formula = st.columns([2, 3], gap="large", vertical_alignment="bottom")
    picker.selectbox(
        "Measure",
        options,
        key=MEASURE,
        format_func=lambda key: (
            "Normalised energy that fits the model" if key == MATCHED else METRICS[key].label
        ),
        persist_state="session",
        help="What is measured in each layer. The energy that fits a model is 0 where its layers smooth to: "
        "GCN's rows follow the root of the degree, the rows of the others become equal. The same choice is "
        "shown against depth.",
    )
    formula.markdown(f"${metric.formula}$")
    st.caption(explained(metric))
    return name


def chosen_measure(config: RunConfig) -> str:
    """Return the key of the measure that is chosen, for this run's model; `pick_measure` has been drawn."""
    chosen = st.session_state[MEASURE]
    return matched_rayleigh(config.model) if chosen == MATCHED else chosen


def explained(metric: Metric) -> str:
    """Return what a measure says, what its values mean, and its paper."""
    return f"{metric.help} {metric.direction[0].upper()}{metric.direction[1:]}. ({metric.paper})"
