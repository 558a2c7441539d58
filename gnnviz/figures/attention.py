"""Attention at one node as a star: the node, its inputs around it, and how much it looks at each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.colors import sample_colorscale

from gnnviz.attention import NodeAttention, Values
from gnnviz.figures.attention_findings import node_finding
from gnnviz.figures.attention_inputs import (
    class_groups,
    cut_note,
    full_ink,
    in_words,
    ink_stops,
    input_names,
    make_room,
    shortened,
    strongest,
)
from gnnviz.figures.layout import axis, legend_below, percent, significant, styled
from gnnviz.figures.nodes import NodeTable
from gnnviz.figures.theme import (
    FONT_SIZE,
    LINE_WIDTH,
    PANELS_HEIGHT,
    Theme,
    faded,
)

CAVEAT = (
    "Attention is not an explanation: a large coefficient says which input was mixed in, not why the model "
    "decided as it did (Jain & Wallace, NAACL 2019)."
)

STAR_INPUTS = 40

_ALL_LABELLED = 10
_LABELLED = 6
_LABELLED_STEP = np.pi / 6
_CENTRE_SIZE = 30
_WIDEST = 10.0
_WIDEST_OF_MANY = 6.0
# Place on the map of the faintest line, which can still be seen.
_FAINTEST = 0.4


@dataclass(frozen=True, slots=True)
class _Pen:
    """How a coefficient is drawn as a line: `full` is the one that has full ink and is `widest` px wide."""

    theme: Theme
    full: float
    widest: float

    def line(self, share: float) -> dict[str, Any]:
        """Return plotly's width and colour of a line for a coefficient in 0..`full`."""
        relative = share / self.full
        place = _FAINTEST + (1 - _FAINTEST) * relative
        colour = sample_colorscale(list(ink_stops(self.theme)), [place], colortype="rgb")[0]
        return {"width": LINE_WIDTH + (self.widest - LINE_WIDTH) * relative, "color": str(colour)}


def attention_star(
    attention: NodeAttention, nodes: NodeTable, theme: Theme, *, head: int | None = None, title: str = ""
) -> go.Figure:
    """Return a node with its inputs around it, joined by lines as wide as the attention they get.

    Inputs stand clockwise from the top, strongest first by the mean over heads, so that they stay in
    place from head to head; one scale of widths serves all heads of the node. The ring around the
    centre is the attention on the node itself. Of many inputs, those with the largest coefficient in
    any head are drawn, and the others are counted. Node ids are in customdata[0].

    Args:
        attention: of the node.
        nodes: labels and names of all N nodes of the graph.
        theme: light or dark.
        head: counted from 0, or None for the mean over heads.
        title: a sentence; "" for the one computed from the coefficients.
    """
    names = input_names(attention, nodes)
    share = attention.of_head(head)
    places = strongest(attention, STAR_INPUTS + 1)
    around = places[attention.sources[places] != attention.node]
    ends = _circle(len(around))
    pen = _Pen(theme, full_ink(attention), _WIDEST if len(around) <= _ALL_LABELLED else _WIDEST_OF_MANY)
    figure = go.Figure()
    _add_lines(figure, pen, share[around], ends)
    _add_itself(figure, pen, attention.on_itself(head))
    centre = np.flatnonzero(attention.sources == attention.node)
    _add_nodes(figure, theme, attention, nodes, names, share, np.concatenate([around, centre]), ends)
    _label_inputs(figure, theme, [names[place] for place in around], share[around], ends)
    _label_centre(figure, theme, names[int(centre[0])], attention.on_itself(head))
    if len(around):
        _add_uniform_key(figure, pen, attention.uniform)
    quiet = {"showticklabels": False, "showgrid": False, "showline": False}
    figure.update_xaxes(axis(theme, "", range=[-1.55, 1.55], **quiet))
    figure.update_yaxes(axis(theme, "", range=[-1.4, 1.4], scaleanchor="x", scaleratio=1, **quiet))
    figure.update_layout(legend=legend_below(theme, "trace"))
    title = title or node_finding(attention, names, head)
    alt = f"{title} {in_words(names, share, places)}"
    styled(figure, theme, title=title, alt=alt, height=PANELS_HEIGHT)
    make_room(figure, theme, cut_note(share, places))
    return figure


def _circle(count: int) -> Values:
    """Return `count` places on the unit circle [count, 2], clockwise from the top.

    Few have equal angles; of many, the first get room for their labels, the others share the rest.
    """
    if count <= _ALL_LABELLED:
        angles = 2 * np.pi * np.arange(count) / max(count, 1)
    else:
        wide = _LABELLED_STEP * np.arange(_LABELLED)
        narrow = np.linspace(wide[-1] + _LABELLED_STEP, 2 * np.pi - _LABELLED_STEP / 2, count - _LABELLED)
        angles = np.concatenate([wide, narrow])
    return np.stack([np.sin(angles), np.cos(angles)], axis=1)


def _add_lines(figure: go.Figure, pen: _Pen, share: Values, ends: Values) -> None:
    for place in np.argsort(share, kind="stable"):  # strong lines on top
        figure.add_trace(
            go.Scatter(
                x=[0, ends[place, 0]],
                y=[0, ends[place, 1]],
                mode="lines",
                line=pen.line(float(share[place])),
                hoverinfo="skip",
                showlegend=False,
            )
        )


def _add_itself(figure: go.Figure, pen: _Pen, share: float) -> None:
    """Draw the ring around the centre, outside its mark, as wide as a line of the same share."""
    line = pen.line(share)
    figure.add_trace(
        go.Scatter(
            x=[0],
            y=[0],
            mode="markers",
            marker={
                "size": _CENTRE_SIZE + 6 + line["width"],
                "color": pen.theme.background,
                "opacity": 1,
                "line": line,
            },
            hoverinfo="skip",
            showlegend=False,
        )
    )


def _add_nodes(
    figure: go.Figure,
    theme: Theme,
    attention: NodeAttention,
    nodes: NodeTable,
    names: Sequence[str],
    share: Values,
    places: NDArray[np.intp],
    ends: Values,
) -> None:
    """Draw the inputs at `ends`, and the node itself, which is the last of `places`, in the middle."""
    points = np.concatenate([ends, np.zeros((1, 2))])
    sizes = np.full(len(places), 14 if len(ends) <= _ALL_LABELLED else 10)
    sizes[-1] = _CENTRE_SIZE
    for group in class_groups(attention, nodes, theme, places):
        members = group.members
        chosen = places[members]
        figure.add_trace(
            go.Scatter(
                x=points[members, 0],
                y=points[members, 1],
                name=group.name,
                mode="markers",
                marker={
                    "color": group.colour,
                    "size": sizes[members],
                    "opacity": 1,
                    "line": {"width": 1.5, "color": theme.background},
                },
                customdata=[
                    [int(attention.sources[place]), names[place], *_in_hover(attention, share, place)]
                    for place in chosen
                ],
                hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]}<br>%{customdata[3]}<extra>%{fullData.name}</extra>",
            )
        )


def _in_hover(attention: NodeAttention, share: Values, place: np.intp) -> tuple[str, str]:
    given = float(share[place])
    times = significant(given / attention.uniform)
    return f"attention {percent(given)}", f"{times} times uniform"


def _label_inputs(figure: go.Figure, theme: Theme, names: Sequence[str], share: Values, ends: Values) -> None:
    """Label all inputs of a few, or the first ones and the strongest of many."""
    labelled = (
        set(range(len(names))) if len(names) <= _ALL_LABELLED else {*range(_LABELLED), int(share.argmax())}
    )
    for place in sorted(labelled):
        across, up = ends[place]
        figure.add_annotation(
            x=1.1 * across, y=1.1 * up, text=f"{shortened(names[place])}<br><b>{percent(share[place])}</b>",
            showarrow=False, font={"size": FONT_SIZE - 1, "color": theme.ink}, align="center",
            xanchor=_anchor(across, "left", "right"), yanchor=_anchor(up, "bottom", "top"),
        )  # fmt: skip


def _anchor(along: float, positive: str, negative: str) -> str:
    middle = "center" if positive == "left" else "middle"
    return positive if along > 0.3 else negative if along < -0.3 else middle


def _label_centre(figure: go.Figure, theme: Theme, name: str, share: float) -> None:
    figure.add_annotation(
        x=0, y=0, yshift=-(_CENTRE_SIZE // 2 + 2 * _WIDEST), yanchor="top", showarrow=False,
        text=f"{shortened(name)}: itself <b>{percent(share)}</b>", borderpad=2,
        font={"size": FONT_SIZE - 1, "color": theme.ink}, bgcolor=faded(theme.background, 0.9),
    )  # fmt: skip


def _add_uniform_key(figure: go.Figure, pen: _Pen, uniform: float) -> None:
    """Show in the legend how wide the lines would be under uniform attention."""
    figure.add_trace(
        go.Scatter(
            x=[None],
            y=[None],
            mode="lines",
            name=f"uniform attention: {percent(uniform)} each",
            line=pen.line(uniform),
            hoverinfo="skip",
        )
    )
