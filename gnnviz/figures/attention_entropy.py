"""How evenly attention is spread: over the nodes of one layer by head, and over layers and heads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from gnnviz.attention import RelativeEntropy, Values
from gnnviz.figures.attention_findings import entropy_finding, layers_finding
from gnnviz.figures.attention_inputs import ink_stops, make_room
from gnnviz.figures.attention_matrix import AXIS_HEIGHT, BAR_HEIGHT, colour_bar, head_axis, print_cells
from gnnviz.figures.layout import (
    NARROW_SPACE,
    TITLE_LINE_HEIGHT,
    axis,
    counted,
    empty_figure,
    percent,
    styled,
    wrapped,
)
from gnnviz.figures.theme import LINE_WIDTH, MARK_SIZE, Theme, colour_scale, faded, model_style

# Each dot stands for 1/25 of the nodes: enough to see the shape, few enough for a phone.
DOTS = 25

_HEAD_HEIGHT = 54
_LAYER_HEIGHT = 34
_NO_CHOICE = "No node has a neighbour, so every node can only attend to itself. Choose a graph with edges."
_MOST_TICKS = 16


def entropy_figure(
    entropy: RelativeEntropy, theme: Theme, *, layer: int, model: str = "gat", title: str = ""
) -> go.Figure:
    """Return for each head of a layer how the nodes' entropy, relative to uniform, is distributed.

    A box holds the middle half of the nodes, its whiskers nine tenths; below it one dot for each 25th
    of the nodes, the node at the middle of that part, whose id is in customdata[0].

    Args:
        entropy: of the layer's nodes.
        theme: light or dark.
        layer: counted from 0.
        model: a key of `MODELS`; decides the hue.
        title: a sentence; "" for the one computed from the medians.
    """
    title = title or entropy_finding(entropy, layer)
    if not len(entropy.nodes):
        return empty_figure(theme, title=title, reason=_NO_CHOICE)
    heads = entropy.values.shape[1]
    colour = model_style(model, theme).colour
    figure = go.Figure()
    _add_boxes(figure, theme, 100 * entropy.values, colour)
    for head in range(heads):
        _add_dots(figure, entropy, head, colour)
    figure.update_xaxes(
        axis(theme, "entropy relative to uniform", range=[-2, 102], dtick=25, ticksuffix=f"{NARROW_SPACE}%")
    )
    figure.update_yaxes(
        axis(theme, "", range=[heads - 0.4, -0.6], showgrid=False, tickvals=list(range(heads))),
        ticktext=[f"head {head + 1}" for head in range(heads)],
    )
    figure.update_layout(showlegend=False)
    medians = ", ".join(
        f"head {head + 1} {percent(value)}" for head, value in enumerate(entropy.quartiles()[1])
    )
    height = 150 + TITLE_LINE_HEIGHT * len(wrapped(title)) + _HEAD_HEIGHT * max(heads, 3)
    styled(figure, theme, title=title, alt=f"{title} Medians: {medians}.", height=height)
    make_room(figure, theme, _counts(entropy))
    return figure


def entropy_overview(entropies: Sequence[RelativeEntropy], theme: Theme, *, title: str = "") -> go.Figure:
    """Return the median relative entropy of every layer (rows) and head (columns); absent heads are empty.

    Args:
        entropies: one per layer, in order; heads may differ in number.
        theme: light or dark.
        title: a sentence; "" for the one computed from the medians.
    """
    if not entropies:
        title = title or "There is no layer with attention yet."
        return empty_figure(theme, title=title, reason="Train a GAT: its layers appear here.")
    title = title or layers_finding(entropies)
    if not len(entropies[0].nodes):
        return empty_figure(theme, title=title, reason=_NO_CHOICE)
    medians = [entropy.quartiles()[1] for entropy in entropies]
    columns = max(len(values) for values in medians)
    table = np.full((len(medians), columns), np.nan)  # what is absent is drawn as a gap
    for row, values in enumerate(medians):
        table[row, : len(values)] = 100 * values
    figure = go.Figure(_heatmap(table, theme))
    print_cells(figure, theme, table, ink=1 - table / 100, first_row=1)
    figure.update_xaxes(head_axis(theme, columns))
    figure.update_yaxes(axis(theme, "layer", range=[len(table) + 0.5, 0.5], showgrid=False, showline=False))
    figure.update_yaxes(tick0=1, dtick=-(-len(table) // _MOST_TICKS))
    words = "; ".join(f"layer {number}: {_listed(values)}" for number, values in enumerate(medians, start=1))
    height = 30 + TITLE_LINE_HEIGHT * len(wrapped(title)) + BAR_HEIGHT + _LAYER_HEIGHT * max(len(table), 2)
    styled(figure, theme, title=title, alt=f"{title} Medians by head: {words}.", height=height)
    make_room(figure, theme, "", above_axis=AXIS_HEIGHT)
    return figure


def _heatmap(table: Values, theme: Theme) -> go.Heatmap:
    """Return cells [layers, heads] of medians in percent; dark where attention selects."""
    middle = f"50{NARROW_SPACE}%"
    return go.Heatmap(
        x=np.arange(1, table.shape[1] + 1),
        y=np.arange(1, len(table) + 1),
        z=table,
        zmin=0,
        zmax=100,
        colorscale=colour_scale(ink_stops(theme)[::-1]),
        xgap=2,
        ygap=2,
        hoverongaps=False,
        hovertemplate="layer %{y}, head %{x}<br>median %{z:.1f}" + NARROW_SPACE + "%<extra></extra>",
        colorbar=colour_bar(
            theme, "median entropy relative to uniform", {0.0: "one input", 50.0: middle, 100.0: "uniform"}
        ),
    )


def _add_boxes(figure: go.Figure, theme: Theme, values: Values, colour: str) -> None:
    """Draw a box for each head from the nodes' values in percent [M, heads]."""
    low, lower, median, upper, high = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    heads = np.arange(values.shape[1])
    figure.add_trace(
        go.Box(
            y=heads - 0.13,
            q1=lower,
            median=median,
            q3=upper,
            lowerfence=low,
            upperfence=high,
            orientation="h",
            width=0.36,
            line={"color": theme.ink, "width": LINE_WIDTH},
            fillcolor=faded(colour, 0.45),
            whiskerwidth=0.5,
            hoverinfo="skip",
        )
    )


def _add_dots(figure: go.Figure, entropy: RelativeEntropy, head: int, colour: str) -> None:
    order = np.argsort(entropy.values[:, head], kind="stable")
    number = min(DOTS, len(order))
    chosen = order[((np.arange(number) + 0.5) * len(order) / number).astype(np.int64)]
    figure.add_trace(
        go.Scatter(
            x=100 * entropy.values[chosen, head],
            y=np.full(number, head + 0.27),
            mode="markers",
            marker={"size": MARK_SIZE + 1, "color": faded(colour, 0.6)},
            # Plain lists: the browser reads rows of a binary array as objects, not as arrays.
            customdata=np.stack([entropy.nodes[chosen], entropy.inputs[chosen]], axis=1).tolist(),
            hovertemplate=(
                "<b>node %{customdata[0]}</b><br>%{x:.1f}" + NARROW_SPACE + "% of the maximum<br>"
                "%{customdata[1]} inputs<extra></extra>"
            ),
        )
    )


def _counts(entropy: RelativeEntropy) -> str:
    note = (
        f"{counted(len(entropy.nodes))} nodes. Box: the middle half; whiskers: 5 to 95{NARROW_SPACE}%; "
        f"dots: {min(DOTS, len(entropy.nodes))} of them, evenly by rank."
    )
    return f"{note} {counted(entropy.left_out)} left out: no neighbour." if entropy.left_out else note


def _listed(values: Values) -> str:
    return ", ".join(percent(float(value)) for value in values)
