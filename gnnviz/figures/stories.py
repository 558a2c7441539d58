"""Nodes' stories as pictures: one node's predictions at every depth, its neighbours', the whole graph's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gnnviz.figures.layout import NARROW_SPACE, axis, counted, empty_figure, percent, styled, wrapped
from gnnviz.figures.nodes import NO_LABEL
from gnnviz.figures.scene import GraphScene, LegendEntry
from gnnviz.figures.theme import CURVE_MARK_SIZE, FONT_SIZE, Theme, class_colours, depth_colours
from gnnviz.graph_input import UNLABELLED
from gnnviz.node_stories import RIGHT, UNKNOWN, NodeStories, Turning, turning_depths, wrong_at
from gnnviz.story_words import TURNINGS

_BAR = 0.72  # share of a row or column that is filled
_ROW, _MARGIN = 38, 74  # px: of one row, and around all of them
_NAME_CHARACTERS, _NAME_LINE = 14, 23
_NAME_MARGIN = 176  # px
_TRUE = "its class"


def story_strip(stories: NodeStories, node: int, theme: Theme, *, title: str) -> go.Figure:
    """Return one node's predictions from the shallowest net at the top to the deepest.

    A bar is as long as the net is sure and has the predicted class's colour, whose name stands beside it;
    a cross is a wrong prediction. The row above all is the node's own class.

    Args:
        stories: of all nodes.
        node: 0..N-1.
        theme: light or dark.
        title: a sentence.
    """
    predicted, probability = stories.predicted[:, node], stories.probability[:, node]
    wrong = wrong_at(stories)[:, node]
    colours = _class_palette(stories, theme)
    label = int(stories.labels[node])
    lengths = [100.0, *(100 * probability).tolist()]
    classes = [label, *predicted.tolist()]
    rows = list(range(len(classes)))
    figure = go.Figure(
        go.Bar(
            y=rows,
            x=lengths,
            orientation="h",
            width=_BAR,
            marker={"color": [colours[index] for index in classes], "line": {"width": 0}},
            hovertext=[_TRUE, *(percent(float(share)) for share in probability)],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )
    _add_crosses(figure, theme, np.array(lengths)[1:][wrong] / 2, np.array(rows)[1:][wrong])
    for row, index in zip(rows, classes, strict=True):
        text = "<br>".join(map(_as_it_is, wrapped(_class_name(stories, index), _NAME_LINE)[:2]))
        figure.add_annotation(
            text=text, xref="x domain", x=1, y=row, xanchor="left", xshift=6, align="left",
            showarrow=False, font={"size": FONT_SIZE, "color": theme.ink},
        )  # fmt: skip
    figure.update_xaxes(axis(theme, "how sure", range=[0, 100], ticksuffix=f"{NARROW_SPACE}%", dtick=50))
    figure.update_yaxes(_depth_rows(theme, stories))
    alt = f"{title} {_strip_in_words(stories, node)}"
    height = _ROW * len(rows) + _MARGIN
    return styled(figure, theme, title=title, alt=alt, height=height, right=_NAME_MARGIN)


def neighbour_strips(
    stories: NodeStories, nodes: NDArray[np.integer], names: Sequence[str], theme: Theme, *, title: str
) -> go.Figure:
    """Return the predictions of several nodes, one a column, depths from the top down as in `story_strip`.

    Args:
        stories: of all nodes.
        nodes: which ones [n], from left to right; a click reports them.
        names: what they are called [n].
        theme: light or dark.
        title: a sentence.
    """
    height = _ROW * (len(stories.depths) + 1) + _MARGIN + 90
    if not len(nodes):
        return empty_figure(theme, title=title, reason="This node has no neighbours.", height=height)
    classes = np.vstack([stories.labels[nodes], stories.predicted[:, nodes]])  # [D + 1, n]
    rows, columns = np.indices(classes.shape)
    colours = _class_palette(stories, theme)
    shown = [_class_name(stories, index) for index in classes.ravel().tolist()]
    who = [_TRUE, *map(_layers, stories.depths)]
    figure = go.Figure(
        go.Bar(
            x=columns.ravel(),
            y=np.full(classes.size, _BAR),
            base=rows.ravel() - _BAR / 2,
            width=0.86,
            marker={"color": [colours[index] for index in classes.ravel().tolist()], "line": {"width": 0}},
            customdata=np.broadcast_to(nodes, classes.shape).ravel(),
            hovertext=[
                f"{_as_it_is(names[column])}<br>{who[row]}: {_as_it_is(text)}"
                for row, column, text in zip(
                    rows.ravel().tolist(), columns.ravel().tolist(), shown, strict=True
                )
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )
    wrong = wrong_at(stories)[:, nodes]
    depth_row, column = np.nonzero(wrong)
    _add_crosses(figure, theme, column.astype(float), depth_row + 1)
    ticks = {"tickvals": list(range(len(nodes))), "ticktext": [_as_it_is(_short(name)) for name in names]}
    figure.update_xaxes(axis(theme, "", showgrid=False, range=[-0.5, len(nodes) - 0.5], **ticks))
    figure.update_yaxes(_depth_rows(theme, stories))
    figure.update_layout(barmode="overlay")
    alt = f"{title} {counted(int(wrong.any(axis=0).sum()))} of {counted(len(nodes))} are wrong at some depth."
    return styled(figure, theme, title=title, alt=alt, height=height)


def turning_scene(scene: GraphScene, stories: NodeStories, turning: Turning, theme: Theme) -> GraphScene:
    """Return a scene coloured by the depth at which nodes turn wrong, shallow to deep.

    Nodes that do not turn wrong have a grey of their own, and those without a label are rings.

    Args:
        scene: any picture of nodes; its ids say which.
        stories: of all nodes.
        turning: for the first time, or for good.
        theme: light or dark.
    """
    depths, words = stories.depths, TURNINGS[turning]
    kinds = [UNKNOWN, RIGHT, *depths]
    colours = [theme.reference, theme.right, *depth_colours(len(depths), theme)]
    names = [NO_LABEL, words.right, *(f"{words.wrong} {_layers(depth)}" for depth in depths)]
    place = np.searchsorted(kinds, turning_depths(stories, turning)[scene.ids])
    counts = np.bincount(place, minlength=len(kinds)).tolist()
    return replace(
        scene,
        palette=tuple(colours),
        colour_index=place.astype(np.uint8),
        crosses=np.zeros(len(place), dtype=bool),
        hollow=tuple(kind == UNKNOWN for kind in kinds),
        hover=tuple(f"{text}\n{names[kind]}" for text, kind in zip(scene.hover, place, strict=True)),
        legend=tuple(
            LegendEntry(f"{name} ({counted(count)})", colour, hollow=kind == UNKNOWN)
            for name, colour, kind, count in zip(names, colours, kinds, counts, strict=True)
            if count
        ),
    )


def _layers(depth: int) -> str:
    return f"{depth} layer{'' if depth == 1 else 's'}"


def _class_palette(stories: NodeStories, theme: Theme) -> dict[int, str]:
    """Return the colour of each class, and of no label; as in every other picture of this graph."""
    known = stories.labels[stories.labels != UNLABELLED]
    counts = np.bincount(known, minlength=len(stories.class_names))
    colours = class_colours(counts.tolist(), theme).colours
    return {UNLABELLED: theme.right, **dict(enumerate(colours))}


def _class_name(stories: NodeStories, index: int) -> str:
    return NO_LABEL if index == UNLABELLED else stories.class_names[index].replace("_", " ")


def _depth_rows(theme: Theme, stories: NodeStories) -> dict[str, object]:
    """Return the axis of depths, which goes down; above them stands the true class."""
    texts = [_TRUE, *map(_layers, stories.depths)]
    rows = len(texts)
    ticks = {"tickvals": list(range(rows)), "ticktext": texts}
    return axis(theme, "", showgrid=False, range=[rows - 0.5, -0.5], **ticks)


def _add_crosses(
    figure: go.Figure, theme: Theme, places: NDArray[np.floating], rows: NDArray[np.integer]
) -> None:
    """Mark wrong predictions; an edge of the page's colour keeps the cross apart from every class."""
    for size, colour in ((CURVE_MARK_SIZE + 3, theme.background), (CURVE_MARK_SIZE - 1, theme.ink)):
        figure.add_trace(
            go.Scatter(
                x=places,
                y=rows,
                name="wrong",
                mode="markers",
                marker={"symbol": "x", "size": size, "color": colour, "line": {"width": 0}},
                cliponaxis=False,
                hoverinfo="skip",
            )
        )
    figure.update_layout(showlegend=False)


def _as_it_is(words: str) -> str:
    """Return words from a file so that plotly shows them and obeys no tag in them."""
    return words.replace("<", "&lt;")


def _short(name: str) -> str:
    return name if len(name) <= _NAME_CHARACTERS else f"{name[: _NAME_CHARACTERS - 1]}\u2026"


def _strip_in_words(stories: NodeStories, node: int) -> str:
    wrong = wrong_at(stories)[:, node]
    told = [
        f"{_layers(depth)} {_class_name(stories, int(index))} ({percent(float(share))})"
        + (", wrong" if is_wrong else "")
        for depth, index, share, is_wrong in zip(
            stories.depths, stories.predicted[:, node], stories.probability[:, node], wrong, strict=True
        )
    ]
    return f"Its class: {_class_name(stories, int(stories.labels[node]))}; predicted with {'; '.join(told)}."
