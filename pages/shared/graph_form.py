"""What the graph page looks at: which graph, which split of it, and what colours mean."""

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.datasets import (
    MAX_SPLIT_SEED,
    SPLITS,
    DatasetSpec,
    available_splits,
    dataset_names,
    dataset_record,
    pinned,
)
from gnnviz.figures.graph import NodeColour
from gnnviz.graph import Graph
from pages.shared import url
from pages.shared.background import run_store

# The training form has keys of its own: to look at a graph does not change what will be trained.
DATA, SPLIT, SPLIT_SEED, COLOUR = "graph_data", "graph_split", "graph_seed", "graph_colour"
OF_RUN = "run"
COLOURS: dict[NodeColour, str] = {
    "class": "class",
    "part": "split",
    "degree": "degree",
    "right_wrong": "right or wrong",
}


def pick_data(config: RunConfig | None) -> str:
    """Draw the picker of the graph; return `OF_RUN` or a dataset's name."""
    options = [OF_RUN] * (config is not None) + list(dataset_names())
    url.choice(DATA, options, options[0], "dataset", parameter="data")
    return st.selectbox(
        "Graph",
        options,
        key=DATA,
        format_func=lambda name: _data_caption(name, config),
        persist_state="session",
        help="The graph of the run in the sidebar, or any other that can be loaded here.",
    )


def _data_caption(name: str, config: RunConfig | None) -> str:
    if name == OF_RUN and config:
        return f"{config.dataset.label}, as in the run"
    return dataset_record(name).label


def pick_split(name: str) -> DatasetSpec:
    """Draw the picker of the split, and of its seed where it has one; return the graph that is shown."""
    splits = available_splits(name)
    url.choice(SPLIT, splits, splits[0], "split", parameter="split")
    split = st.selectbox(
        "Split",
        splits,
        key=SPLIT,
        format_func=lambda key: SPLITS[key].label,
        persist_state="session",
        help="\n\n".join(f"**{SPLITS[key].label}**: {SPLITS[key].help}" for key in splits),
    )
    if not SPLITS[split].seeded:
        return pinned(DatasetSpec(name, split))
    url.whole(SPLIT_SEED, 0, MAX_SPLIT_SEED, 0, "The seed of the split", parameter="split_seed")
    seed = st.number_input(
        "Seed of the split",
        0,
        MAX_SPLIT_SEED,
        key=SPLIT_SEED,
        help="Decides which nodes are drawn.",
        persist_state="session",
    )
    return pinned(DatasetSpec(name, split, seed))


def pick_colour(data: Graph, of_run: str | None) -> NodeColour:
    """Draw what colours may mean here; predictions are only offered for the graph of the run."""
    offered: list[NodeColour] = ["class", "part", "degree"]
    if of_run and data.y is not None and run_store().status(of_run).best:
        offered.append("right_wrong")
    url.choice(COLOUR, offered, "class", "colouring", parameter="colour")
    chosen = st.segmented_control(
        "Colour by",
        offered,
        key=COLOUR,
        format_func=COLOURS.__getitem__,
        required=True,
        persist_state="session",
        help="Right or wrong: what the run in the sidebar predicts at its best epoch; "
        "crosses are nodes that it gets wrong.",
    )
    return chosen or "class"
