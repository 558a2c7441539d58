"""One run beside the ghost of another: what a change did to accuracy and loss, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gnnviz.figures.compare import RunCurve
from gnnviz.figures.curves import Quantity, step_above
from gnnviz.figures.layout import (
    NARROW_SPACE,
    Chance,
    add_chance_lines,
    axis,
    counted,
    empty_figure,
    percent,
    significant,
    spread,
    styled,
    wrapped,
)
from gnnviz.figures.panels import on_row, stacked
from gnnviz.figures.theme import (
    CURVE_MARK_SIZE,
    FONT_SIZE,
    LINE_WIDTH,
    PANELS_HEIGHT,
    PART_LABELS,
    Part,
    Theme,
    faded,
    model_style,
)

GHOST_DASH = "6px,4px"
GHOST_OPACITY = 0.5
_PANELS: tuple[tuple[int, Quantity], ...] = ((1, "acc"), (2, "loss"))
_LABEL_CHARACTERS = 13
_LABEL_MARGIN = 118  # px
_LABEL_LINE = 0.085  # of a panel's height
_LOSS_FLOOR = 0.01


def ghost_curves(
    ghost: RunCurve | None,
    run: RunCurve | None,
    theme: Theme,
    *,
    title: str,
    part: Part,
    chance: Chance | None = None,
    reason: str = "No epoch is finished yet. The curves appear with the first one.",
) -> go.Figure:
    """Return accuracy above loss of a run, and of the one it is compared with as a faint, dashed line.

    Args:
        ghost: the run as it was, or None while it has no epoch.
        run: the run that is looked at, or None likewise.
        theme: light or dark.
        title: a sentence.
        part: whose curves: training, validation or test nodes.
        chance: accuracies without learning on these nodes; None draws none.
        reason: what the empty figure says.
    """
    curves = [(curve, curve is ghost) for curve in (ghost, run) if curve is not None]
    if not curves:
        return empty_figure(theme, title=title, reason=reason, height=PANELS_HEIGHT)
    values = {quantity: [_values(curve, part, quantity) for curve, _ in curves] for _, quantity in _PANELS}
    tops = {"acc": 100.0, "loss": _loss_top(values["loss"])}
    last = max(curve.limit or curve.history[-1].epoch for curve, _ in curves)
    figure = stacked(
        axis(theme, "epoch", range=[0, last], tickformat=",d", nticks=7),
        [_value_axis(theme, part, quantity, tops[quantity]) for _, quantity in _PANELS],
    )
    for row, quantity in _PANELS:
        for (curve, faint), line in zip(curves, values[quantity], strict=True):
            figure.add_traces(_traces(curve, line, theme, quantity, row, faint=faint))
        _label_ends(figure, theme, curves, values[quantity], row, tops[quantity])
    if chance is not None:
        add_chance_lines(figure, theme, chance, side="right")
    figure.update_layout(hovermode="x unified", showlegend=False)
    alt = f"{title} {_in_words([curve for curve, _ in curves], part)}"
    return styled(figure, theme, title=title, alt=alt, height=PANELS_HEIGHT, right=_LABEL_MARGIN)


def _values(curve: RunCurve, part: Part, quantity: Quantity) -> NDArray[np.float32]:
    """Return the curve [epochs], accuracy in percent."""
    scale = 100.0 if quantity == "acc" else 1.0
    return np.array([scale * getattr(record, f"{part}_{quantity}") for record in curve.history], np.float32)


def _loss_top(values: Sequence[NDArray[np.float32]]) -> float:
    losses = np.concatenate(values)
    return step_above(max(_LOSS_FLOOR, float(losses[np.isfinite(losses)].max(initial=0.0))))


def _colour(curve: RunCurve, theme: Theme, *, faint: bool) -> str:
    hue = model_style(curve.model, theme).colour
    return faded(hue, GHOST_OPACITY) if faint else hue


def _traces(
    curve: RunCurve, values: NDArray[np.float32], theme: Theme, quantity: Quantity, row: int, *, faint: bool
) -> list[go.Scatter]:
    """Return a run's line, and on the accuracy the mark of its best epoch."""
    colour = _colour(curve, theme, faint=faint)
    epochs = np.array([record.epoch for record in curve.history], dtype=np.int32)
    line = go.Scatter(
        x=epochs,
        y=values,
        name=curve.label,
        mode="lines" if len(values) > 1 else "lines+markers",  # a line of one point is invisible
        line={"color": colour, "width": LINE_WIDTH, "dash": GHOST_DASH if faint else "solid"},
        marker={"size": 6, "color": colour},
        hovertemplate="%{y:.1f}" + NARROW_SPACE + "%" if quantity == "acc" else "%{y:.3g}",
        **on_row(row),
    )
    if quantity == "loss" or curve.best is None or curve.best.epoch not in epochs:
        return [line]
    mark = go.Scatter(
        x=[curve.best.epoch],
        y=values[epochs == curve.best.epoch],
        name=f"best epoch, {curve.label}",
        mode="markers",
        marker={
            "size": CURVE_MARK_SIZE + 2,
            "color": theme.background,
            "line": {"color": colour, "width": 3},
        },
        cliponaxis=False,
        hoverinfo="skip",
        **on_row(row),
    )
    return [line, mark]


def _label_ends(
    figure: go.Figure,
    theme: Theme,
    curves: Sequence[tuple[RunCurve, bool]],
    values: Sequence[NDArray[np.float32]],
    row: int,
    top: float,
) -> None:
    """Write each run's name in the right margin, as near to the end of its line as the other lets it."""
    texts = [wrapped(curve.label, _LABEL_CHARACTERS) for curve, _ in curves]
    gap = _LABEL_LINE * top * (sum(map(len, texts)) / len(texts) + 0.3)
    room = [_LABEL_LINE * top * len(text) / 2 for text in texts]
    ends = [min(float(line[-1]), top) if np.isfinite(line[-1]) else top for line in values]
    places = spread(ends, gap, max(room), top - max(room))
    x, y = on_row(row).values()
    for (curve, faint), text, place in zip(curves, texts, places, strict=True):
        colour = _colour(curve, theme, faint=faint)
        sign = "\u2505" if faint else "\u2501"
        figure.add_annotation(
            text=f'<span style="color:{colour}">{sign}</span> ' + "<br>".join(text),
            xref=f"{x} domain", yref=y, x=1, y=place, xanchor="left", xshift=4, align="left", showarrow=False,
            font={"size": FONT_SIZE - 1, "color": theme.muted if faint else theme.ink},
        )  # fmt: skip


def _value_axis(theme: Theme, part: Part, quantity: Quantity, top: float) -> dict[str, object]:
    if quantity == "loss":
        return axis(theme, f"{PART_LABELS[part]} loss in nats", range=[0, top], nticks=6)
    name = f"{PART_LABELS[part]} accuracy"
    return axis(theme, name, range=[0, 100], ticksuffix=f"{NARROW_SPACE}%", dtick=25)


def _in_words(curves: Sequence[RunCurve], part: Part) -> str:
    ends = [
        f"{curve.label}: {PART_LABELS[part]} accuracy {percent(getattr(last, f'{part}_acc'))}, loss "
        f"{significant(getattr(last, f'{part}_loss'))} after {counted(last.epoch)} epochs"
        for curve in curves
        for last in curve.history[-1:]
    ]
    return f"{'; '.join(ends)}."
