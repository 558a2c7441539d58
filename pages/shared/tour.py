"""The list of pages, and links between them."""

from pathlib import Path

import streamlit as st

_FOLDER = Path(__file__).resolve().parents[1]
_TITLES = {
    "overview": ("Overview", ":material/landscape:"),
    "graph": ("Graph", ":material/share:"),
    "training": ("Training", ":material/model_training:"),
    "embeddings": ("Embeddings", ":material/scatter_plot:"),
    "oversmoothing": ("Over-smoothing", ":material/blur_on:"),
    "attention": ("Attention", ":material/hub:"),
    "neighbourhoods": ("Neighbourhoods", ":material/account_tree:"),
    "runs": ("Runs", ":material/table_rows:"),
}

# Where each page's pictures are seen from further away: the page, and what is there.
_UP = {
    "graph": ("overview", "What depth does to the nets on such a graph."),
    "training": ("overview", "What depth does to all of these nets."),
    "oversmoothing": ("overview", "What depth does, as one story."),
    "runs": ("overview", "What depth does, as one story."),
    "embeddings": ("oversmoothing", "The measures of all layers of this run."),
    "attention": ("embeddings", "All nodes in the hidden states of this run."),
    "neighbourhoods": ("embeddings", "All nodes in the hidden states of this run."),
}


def pages() -> list[st.Page]:
    """Return all pages in the order of the tour; the first is what the bare address shows."""
    return [_page(name) for name in _TITLES]


def link(name: str, label: str, hint: str, **query: str) -> None:
    """Draw a link to another page, with what it should look at.

    Args:
        name: the page's file without ".py".
        label: the words of the link.
        hint: what will be seen there.
        query: what goes into the address.
    """
    st.page_link(_page(name), label=label, icon=_TITLES[name][1], help=hint, query_params=query)


def way_up(name: str) -> None:
    """Draw the link to the page above, which shows the same run and node from further away.

    Args:
        name: of the page that is drawn, "" for the first, which has none above it.
    """
    if name in _UP:
        above, hint = _UP[name]
        title = _TITLES[above][0]
        st.page_link(_page(above), label=title, icon=":material/arrow_upward:", help=hint)


def _page(name: str) -> st.Page:
    title, icon = _TITLES[name]
    return st.Page(_FOLDER / f"{name}.py", title=title, icon=icon, default=name == next(iter(_TITLES)))
