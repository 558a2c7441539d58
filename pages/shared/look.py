"""How the browser looks right now: the colours that figures are drawn in."""

import streamlit as st

from gnnviz.figures.theme import Theme, theme


def current_theme() -> Theme:
    """Return the figures' theme that fits the visitor's light or dark page."""
    return theme("dark" if st.context.theme.type == "dark" else "light")
