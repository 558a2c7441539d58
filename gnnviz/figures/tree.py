"""The unrolled computation of one node: a column per layer, the node at the left, its inputs to the right."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gnnviz.computation_tree import ComputationTree
from gnnviz.figures.layout import (
    TITLE_LINE_HEIGHT,
    axis,
    counted,
    empty_figure,
    legend_below,
    styled,
    wrapped,
)
from gnnviz.figures.neighbourhood import node_name, short_name
from gnnviz.figures.nodes import NodeTable, class_line, node_groups
from gnnviz.figures.theme import FONT_SIZE, LINE_WIDTH, MAIN_HEIGHT, Theme, faded

# Names stand beside the inputs while they are no more than this.
MOST_NAMES = 30
_STATE_SIZE, _ROOT_SIZE = 11, 20
# px: between two states of a column, and the tallest figure.
_ROW, _TALLEST = 15, 1000
_OWN_DASH = "2px,4px"
# Edges are drawn in so many widths, by their weight.
_WIDTHS = (1.0, 1.6, 2.4, 3.4)


def tree_finding(tree: ComputationTree, name: str) -> str:
    """Return the sentence about a computation: how much is evaluated for one node.

    Args:
        tree: the tree, or its merged form; the sentence counts the whole, shown or not.
        name: what the root is called.
    """
    layers = "1 layer" if tree.num_levels == 2 else f"{tree.num_levels - 1} layers"
    if not has_neighbours(tree):
        return f"{name[:1].upper()}{name[1:]} has no neighbours: through {layers} it sees only itself."
    inputs, different = tree.tree_sizes[-1], counted(int(tree.merged_sizes[-1]))
    if not tree.merged:
        return f"Through {layers}, {name} hears {_many(inputs)} inputs from {different} different nodes."
    whole, merged = tree.tree_sizes.sum(), tree.merged_sizes.sum()
    return f"With equal states merged, {name} takes {counted(int(merged))} states instead of {_many(whole)}."


def has_neighbours(tree: ComputationTree) -> bool:
    """Return whether anything but the root takes part."""
    return int(tree.merged_sizes[-1]) > 1


def _many(number: float) -> str:
    """Return a count; beyond 10 million rounded, since nobody reads more digits."""
    if number < 1e7:
        return counted(int(number))
    power = int(np.floor(np.log10(number)))
    digits = str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"about {number / 10**power:.1f} x 10{digits}"


def computation_tree_figure(
    tree: ComputationTree,
    nodes: NodeTable,
    theme: Theme,
    *,
    title: str,
    reason: str = "An isolated node has no inputs but its own. Choose another node.",
) -> go.Figure:
    """Return the tree or its merged form, layer by layer; node ids are in customdata[0].

    An edge is as strong as its share in the mean over what was drawn; a node's own state, which has a
    weight of its own, is dotted. The axis names the layers and counts what is not shown.

    Args:
        tree: what to show.
        nodes: what is known about all N nodes of the graph, in its order.
        theme: light or dark.
        title: a sentence.
        reason: what the empty figure of an isolated node says.
    """
    if not has_neighbours(tree):
        return empty_figure(theme, title=title, reason=reason)
    rows = tree_rows(tree)
    figure = go.Figure()
    _add_edges(figure, tree, rows, theme)
    _add_states(figure, tree, nodes, rows, theme)
    named = int(tree.shown_sizes[-1]) <= MOST_NAMES
    if named:
        _add_names(figure, tree, nodes, rows, theme)
    last = tree.num_levels - 1
    figure.update_xaxes(
        axis(
            theme,
            "",
            range=[-0.12 * last, (1.3 if named else 1.06) * last],
            tickvals=list(range(tree.num_levels)),
            ticktext=[_column(tree, level) for level in range(tree.num_levels)],
            tickangle=0,
            showgrid=False,
            side="top",
        )
    )
    figure.update_yaxes(visible=False, range=[float(rows.max()) + 1, -1])
    figure.update_layout(legend=legend_below(theme), hovermode="closest", dragmode="pan")
    height = int(np.clip(220 + _ROW * rows.max(), MAIN_HEIGHT, _TALLEST))
    alt = f"{title} {_in_words(tree)}"
    styled(figure, theme, title=title, alt=alt, height=height)
    # The names of the columns, of one line or three, stand between the title and the picture.
    names_height = FONT_SIZE * (1 + 2 * tree.is_cut) + 18
    top = 26 + TITLE_LINE_HEIGHT * len(wrapped(title)) + names_height
    return figure.update_layout(margin_t=top)


def tree_rows(tree: ComputationTree) -> NDArray[np.float64]:
    """Return the row in which each shown state stands [n], 0 or more.

    In a tree, states without shown inputs take a row each and the others stand amid their inputs.
    Merged, each column is spread over the height, in the order of the states that it feeds.
    """
    return _merged_rows(tree) if tree.merged else _rows_of_leaves(tree)


def _rows_of_leaves(tree: ComputationTree) -> NDArray[np.float64]:
    inputs: list[list[int]] = [[] for _ in tree.node]
    for source, target in zip(tree.source.tolist(), tree.target.tolist(), strict=True):
        inputs[target].append(source)
    rows = np.zeros(len(tree.node))
    order: list[int] = []
    waiting, free = [0], 0
    while waiting:  # depth first, so that the inputs of a state stay together
        state = waiting.pop()
        order.append(state)
        waiting.extend(reversed(inputs[state]))
        if not inputs[state]:
            rows[state] = free
            free += 1
    for state in reversed(order):
        if inputs[state]:
            rows[state] = (rows[inputs[state][0]] + rows[inputs[state][-1]]) / 2
    return rows


def _merged_rows(tree: ComputationTree) -> NDArray[np.float64]:
    rows = np.zeros(len(tree.node))
    height = float(tree.shown_sizes.max())
    rows[0] = height / 2
    for level in range(1, tree.num_levels):
        states = np.flatnonzero(tree.level == level)
        fed = np.isin(tree.source, states)
        sums = np.bincount(tree.source[fed], rows[tree.target[fed]], len(rows))
        numbers = np.bincount(tree.source[fed], minlength=len(rows))
        order = states[np.argsort(sums[states] / numbers[states], kind="stable")]
        rows[order] = (np.arange(len(order)) + 0.5) * height / len(order)
    return rows


def _add_edges(figure: go.Figure, tree: ComputationTree, rows: NDArray[np.float64], theme: Theme) -> None:
    """Add a trace per width for the drawn inputs, and a dotted one for own states."""
    steps = np.linspace(0, 1, len(_WIDTHS) + 1)[1:-1]
    width = np.searchsorted(steps, tree.weight, side="right")
    for place, pixels in enumerate(_WIDTHS):
        chosen = ~tree.is_own & (width == place)
        line = {"color": faded(theme.ink, 0.45), "width": pixels}
        _add_lines(figure, tree, rows, chosen, "drawn neighbour", line, first=not figure.data)
    own = {"color": theme.muted, "width": LINE_WIDTH - 0.5, "dash": _OWN_DASH}
    _add_lines(figure, tree, rows, tree.is_own, "own state", own, first=True)


def _add_lines(
    figure: go.Figure,
    tree: ComputationTree,
    rows: NDArray[np.float64],
    chosen: NDArray[np.bool_],
    name: str,
    line: dict[str, object],
    *,
    first: bool,
) -> None:
    if not chosen.any():
        return
    ends = np.stack([tree.target[chosen], tree.source[chosen]], axis=1)  # [m, 2]
    gap = np.full((len(ends), 1), np.nan)
    figure.add_trace(
        go.Scatter(
            x=np.hstack([tree.level[ends], gap]).ravel(),
            y=np.hstack([rows[ends], gap]).ravel(),
            mode="lines",
            name=name,
            legendgroup=name,
            showlegend=first,
            legendrank=1100,
            line=line,
            hoverinfo="skip",
        )
    )


def _add_states(
    figure: go.Figure, tree: ComputationTree, nodes: NodeTable, rows: NDArray[np.float64], theme: Theme
) -> None:
    count = int(tree.node.max()) + 1 if nodes.labels is None else len(nodes.labels)
    hover = [_hover(tree, nodes, state) for state in range(len(rows))]
    for group in node_groups(nodes, theme, "class", count):
        states = np.flatnonzero(np.isin(tree.node, group.members))
        if not len(states):
            continue
        figure.add_trace(
            go.Scatter(
                x=tree.level[states],
                y=rows[states],
                mode="markers",
                name=group.name,
                customdata=tree.node[states, None],
                text=[hover[state] for state in states],
                hovertemplate="%{text}<extra></extra>",
                marker={
                    "color": group.colour,
                    "size": np.where(states == 0, _ROOT_SIZE, _STATE_SIZE),
                    "opacity": 1.0,
                    "line": {"width": 1.5, "color": theme.background},
                },
            )
        )


def _add_names(
    figure: go.Figure, tree: ComputationTree, nodes: NodeTable, rows: NDArray[np.float64], theme: Theme
) -> None:
    for state in np.flatnonzero(tree.level == tree.num_levels - 1):
        name = short_name(node_name(nodes, int(tree.node[state])))
        figure.add_annotation(
            x=int(tree.level[state]), y=float(rows[state]), text=name, xanchor="left", xshift=8,
            showarrow=False, font={"size": FONT_SIZE - 1, "color": theme.ink},
        )  # fmt: skip


def _column(tree: ComputationTree, level: int) -> str:
    """Return the name of a column, and how much of it is shown if not all is."""
    last = tree.num_levels - 1
    name = "input" if level == last else f"layer {last - level}"
    shown, whole = int(tree.shown_sizes[level]), float(tree.sizes[level])
    return name if shown == whole else f"{name}<br>{counted(shown)} of<br>{_many(whole)}"


def _hover(tree: ComputationTree, nodes: NodeTable, state: int) -> str:
    node, level = int(tree.node[state]), int(tree.level[state])
    lines = [f"<b>{node_name(nodes, node)}</b>"]
    lines += [line.replace("_", " ") for line in class_line(nodes, node)]
    last = tree.num_levels - 1
    lines.append("its features" if level == last else f"after layer {last - level}")
    same = int(((tree.node == node) & (tree.level == level)).sum())
    times = float(tree.copies[state]) if tree.merged else float(same)
    if times > 1:
        lines.append(f"{_many(times)} times in {'the tree' if tree.merged else 'this column'}")
    if tree.hidden_inputs[state]:
        lines.append(f"{counted(int(tree.hidden_inputs[state]))} inputs not shown")
    return "<br>".join(lines)


def _in_words(tree: ComputationTree) -> str:
    columns = [
        f"{'the input' if level == tree.num_levels - 1 else f'layer {tree.num_levels - 1 - level}'}: "
        f"{counted(int(shown))} of {_many(float(whole))} states"
        for level, (shown, whole) in enumerate(zip(tree.shown_sizes, tree.sizes, strict=True))
    ]
    cut = " What is not shown was left out at random." if tree.is_cut else ""
    return f"Shown are, from the output inwards, {'; '.join(columns)}.{cut}"
