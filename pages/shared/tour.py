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


def _page(name: str) -> st.Page:
    title, icon = _TITLES[name]
    return st.Page(_FOLDER / f"{name}.py", title=title, icon=icon, default=name == next(iter(_TITLES)))
