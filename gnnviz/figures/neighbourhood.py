"""A sampled neighbourhood as nodes and edges: seed in the middle, a ring per hop, what was drawn strong."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gnnviz.figures.layout import counted, empty_figure, legend_below, listed, styled, wrapped
from gnnviz.figures.nodes import NodeTable, class_line, node_groups
from gnnviz.figures.ring_layout import ring_layout
from gnnviz.figures.theme import (
    FONT_SIZE,
    MARK_SIZE,
    PANELS_HEIGHT,
    Theme,
    depth_colours,
    faded,
)
from gnnviz.neighbourhood import NeighbourhoodView

# Names stand beside nodes while they are no more than this; beyond, only beside the seeds.
MOST_NAMES = 14
_NAME_CHARACTERS = 14
_DRAWN_SIZE, _SEED_SIZE = 12, 24
_MARGIN = 0.24


def neighbourhood_finding(view: NeighbourhoodView, name: str) -> str:
    """Return the sentence about a sample: how many neighbours were drawn, and how far that reaches.

    Args:
        view: the shown part, which knows the whole.
        name: what the seed is called; not used where there are several.
    """
    whose = name if view.num_seeds == 1 else f"{counted(view.num_seeds)} seeds"
    if not view.all_neighbours:
        verb = "has" if view.num_seeds == 1 else "have"
        return f"{whose[:1].upper()}{whose[1:]} {verb} no neighbours to draw."
    if view.drawn_neighbours == view.all_neighbours:
        drawn = _all_drawn(view.all_neighbours, whose)
    else:
        verb = "was" if view.drawn_neighbours == 1 else "were"
        drawn = (
            f"{counted(view.drawn_neighbours)} of {_neighbours(view.all_neighbours)} of {whose} {verb} drawn"
        )
    if view.hops == 1:
        return f"{drawn}."
    within = f"{counted(view.nodes_drawn)} of the {counted(view.nodes_within)} nodes within {view.hops} hops"
    return f"{drawn}; {within} take part."


def cut_note(view: NeighbourhoodView) -> str:
    """Return what is not shown and how that was chosen, or "" if everything is shown."""
    parts = [
        f"{counted(number)} {what}"
        for number, what in ((view.hidden_drawn, "drawn"), (view.hidden_others, "not drawn"))
        if number
    ]
    return f"Left out, chosen at random: {listed(parts)}." if parts else ""


def _all_drawn(number: int, whose: str) -> str:
    return (
        f"The only neighbour of {whose} was drawn"
        if number == 1
        else f"All {number:,} neighbours of {whose} were drawn"
    )


def _neighbours(number: int) -> str:
    return "1 neighbour" if number == 1 else f"{counted(number)} neighbours"


def neighbourhood_figure(
    view: NeighbourhoodView,
    nodes: NodeTable,
    theme: Theme,
    *,
    title: str,
    height: int = PANELS_HEIGHT,
    reason: str = "An isolated node has nothing to draw: its layers see only itself. Choose another node.",
) -> go.Figure:
    """Return the neighbourhood as a picture; node ids are in customdata[0].

    Nodes that were drawn are filled, edges along which they were drawn are strong, in the colour of their
    hop; what exists but was not drawn is hollow and faint.

    Args:
        view: what to show.
        nodes: what is known about all N nodes of the graph, in its order.
        theme: light or dark.
        title: a sentence.
        height: height in px.
        reason: what the empty figure of isolated seeds says.
    """
    if len(view.nodes) == view.num_seeds and not view.edges.size:
        return empty_figure(theme, title=title, reason=reason, height=height)
    places = ring_layout(view)
    figure = go.Figure()
    _add_edges(figure, view, places, theme)
    _add_nodes(figure, view, nodes, places, theme)
    _add_names(figure, view, nodes, places, theme)
    note = cut_note(view)
    low, high = places.min(axis=0), places.max(axis=0)
    margin = _MARGIN * float((high - low).max())  # of names, in width
    figure.update_xaxes(visible=False, range=[float(low[0]) - margin, float(high[0]) + margin])
    figure.update_yaxes(
        visible=False, range=[float(low[1]) - margin / 4, float(high[1]) + margin / 4], scaleanchor="x"
    )
    figure.update_layout(legend=legend_below(theme), hovermode="closest", dragmode="pan")
    alt = f"{title} {_in_words(view)} {note}".strip()
    if note:
        _add_note(figure, theme, note)
    return styled(figure, theme, title=title, alt=alt, height=height)


def _add_edges(figure: go.Figure, view: NeighbourhoodView, places: NDArray[np.float64], theme: Theme) -> None:
    """Add a trace per hop, what was never drawn first and so below the rest."""
    hop_colours = depth_colours(view.hops + 1, theme)[::-1]
    for hop in range(view.hops + 1):
        chosen = view.edges[:, view.edge_hop == hop]
        if not chosen.size:
            continue
        gap = np.full(chosen.shape[1], np.nan)
        line = np.stack(
            [places[chosen[0]].T, places[chosen[1]].T, np.stack([gap, gap])], axis=-1
        )  # [2, m, 3]
        colour, width = (faded(theme.reference, 0.4), 1.2) if not hop else (hop_colours[hop - 1], 2.5)
        figure.add_trace(
            go.Scatter(
                x=line[0].ravel(),
                y=line[1].ravel(),
                mode="lines",
                name=f"drawn at hop {hop}" if hop else "not drawn (hollow)",
                line={"color": colour, "width": width},
                hoverinfo="skip",
                legendrank=1100 + hop if hop else 1200,
            )
        )


def _add_nodes(
    figure: go.Figure, view: NeighbourhoodView, nodes: NodeTable, places: NDArray[np.float64], theme: Theme
) -> None:
    """Add a trace per class for drawn nodes, over one per class for the others; seeds carry a ring."""
    count = int(view.nodes.max()) + 1 if nodes.labels is None else len(nodes.labels)
    hover = [_hover(view, nodes, place) for place in range(len(view.nodes))]
    is_drawn = view.found_at >= 0
    for group in node_groups(nodes, theme, "class", count):
        member = np.isin(view.nodes, group.members)
        for drawn in (False, True):
            chosen = np.flatnonzero(member & (is_drawn == drawn))
            if len(chosen):
                line = {"width": 1.5, "color": theme.background if drawn else group.colour}
                symbol, size = ("circle", _DRAWN_SIZE) if drawn else ("circle-open", MARK_SIZE)
                figure.add_trace(
                    go.Scatter(
                        x=places[chosen, 0],
                        y=places[chosen, 1],
                        mode="markers",
                        name=group.name,
                        legendgroup=group.name,
                        showlegend=drawn or not (member & is_drawn).any(),
                        customdata=view.nodes[chosen, None],
                        text=[hover[place] for place in chosen],
                        hovertemplate="%{text}<extra></extra>",
                        marker={"color": group.colour, "symbol": symbol, "size": size, "line": line},
                    )
                )
    seeds = places[: view.num_seeds]
    figure.add_trace(
        go.Scatter(
            x=seeds[:, 0],
            y=seeds[:, 1],
            mode="markers",
            name="seed",
            hoverinfo="skip",
            legendrank=850,
            marker={
                "symbol": "circle-open",
                "size": _SEED_SIZE,
                "color": theme.ink,
                "line": {"width": 3.5, "color": theme.ink},
            },
        )
    )


def _add_names(
    figure: go.Figure, view: NeighbourhoodView, nodes: NodeTable, places: NDArray[np.float64], theme: Theme
) -> None:
    """Write the names of drawn nodes beside them, outwards, if they are few; else those of the seeds."""
    named = np.flatnonzero(view.found_at >= 0)
    if len(named) > MOST_NAMES:
        named = np.arange(min(view.num_seeds, MOST_NAMES))
    for place in named:
        x, y = (float(value) for value in places[place])
        side, shift, lift = ("left", 9, 0) if x >= 0 else ("right", -9, 0)
        if place < view.num_seeds:
            side, shift, lift = "center", 0, 24
        figure.add_annotation(
            x=x, y=y, text=short_name(node_name(nodes, int(view.nodes[place]))), showarrow=False,
            xanchor=side, xshift=shift, yshift=lift, font={"size": FONT_SIZE, "color": theme.ink},
            bgcolor=faded(theme.background, 0.7), borderpad=1,
        )  # fmt: skip


def node_name(nodes: NodeTable, node: int) -> str:
    """Return what a node is called on screen."""
    return nodes.names[node] if nodes.names else f"node {node}"


def short_name(name: str) -> str:
    """Return a name that fits beside a mark."""
    return name if len(name) <= _NAME_CHARACTERS else f"{name[: _NAME_CHARACTERS - 1]}…"


def _hover(view: NeighbourhoodView, nodes: NodeTable, place: int) -> str:
    node, found_at, ring = int(view.nodes[place]), int(view.found_at[place]), int(view.ring[place])
    lines = [f"<b>{node_name(nodes, node)}</b>"]
    lines += [line.replace("_", " ") for line in class_line(nodes, node)]
    away = "1 hop away" if ring == 1 else f"{ring} hops away"
    lines.append({0: "seed", -1: f"{away}, not drawn"}.get(found_at, f"{away}, drawn at hop {found_at}"))
    return "<br>".join(lines)


def _add_note(figure: go.Figure, theme: Theme, note: str) -> None:
    figure.add_annotation(
        text="<br>".join(wrapped(note, 28)), align="left", xref="paper", yref="paper", x=0, y=1,
        xanchor="left", yanchor="top", showarrow=False,
        font={"size": FONT_SIZE - 1, "color": theme.muted},
    )  # fmt: skip


def _in_words(view: NeighbourhoodView) -> str:
    drawn = int((view.found_at >= 0).sum())
    others = len(view.nodes) - drawn
    return (
        f"Shown are {counted(drawn)} nodes that take part and {counted(others)} that were not drawn, "
        f"on {int(view.ring.max())} rings."
    )
