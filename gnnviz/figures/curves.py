"""Curves over epochs: loss and accuracy of one run while it trains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gnnviz.figures.layout import (
    NARROW_SPACE,
    UNIFORM_GUESS,
    Chance,
    add_chance_lines,
    axis,
    counted,
    empty_figure,
    percent,
    significant,
    spread,
    styled,
)
from gnnviz.figures.panels import on_row, stacked
from gnnviz.figures.theme import (
    CURVE_MARK_SIZE,
    FONT_SIZE,
    LINE_WIDTH,
    PANELS_HEIGHT,
    PART_DASH,
    PART_LABELS,
    REFERENCE_WIDTH,
    Part,
    Theme,
    faded,
    model_style,
)
from gnnviz.records import BestEpoch, EpochRecord

Quantity = Literal["acc", "loss"]

_PARTS: tuple[Part, ...] = ("train", "val", "test")
# Distance of two labels at the ends of lines, as a share of the panel's height.
_LABEL_GAP = 0.085
_LABEL_MARGIN = 82
_LOSS_STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10)
# Room above the upper panel for the label of the best epoch, in px.
_TOP_LABEL = 18


def training_curves(
    history: Sequence[EpochRecord],
    theme: Theme,
    *,
    title: str,
    total_epochs: int,
    chance: Chance,
    best: BestEpoch | None = None,
    model: str = "gcn",
    reason: str = "No epoch is finished yet. The curves appear with the first one.",
) -> go.Figure:
    """Return accuracy above loss against the epoch, for training, validation and test nodes.

    The epoch axis always reaches `total_epochs` and the loss axis grows in steps, so the
    picture does not move while epochs come in. The loss is linear and starts at zero: what counts is
    its distance from zero and from the loss of uniform guessing, which is drawn.

    Args:
        history: the epochs so far, in order; may be empty.
        theme: light or dark.
        title: a sentence.
        total_epochs: the most epochs the run may take, 1 or more.
        chance: accuracies without learning, on the test nodes.
        best: the epoch chosen on the validation nodes, marked in both panels.
        model: a key of `MODELS`; decides the hue.
        reason: what the empty figure says.
    """
    if not history:
        return empty_figure(theme, title=title, reason=reason, height=PANELS_HEIGHT)
    colour = model_style(model, theme).colour
    top = _loss_top(history, chance)
    figure = stacked(
        axis(theme, "epoch", range=[0, total_epochs], tickformat=",d", nticks=7),
        [
            axis(theme, "accuracy", range=[0, 100], ticksuffix=f"{NARROW_SPACE}%", dtick=25),
            axis(theme, "loss in nats", range=[0, top], nticks=6),
        ],
    )
    panels: tuple[tuple[int, Quantity, float], ...] = ((1, "acc", 100.0), (2, "loss", top))
    for row, quantity, high in panels:
        _add_lines(figure, history, quantity, row, colour)
        _label_ends(figure, theme, history, quantity, row, high, colour)
    if best is not None:
        _mark_best(figure, theme, best, total_epochs, colour)
    add_chance_lines(figure, theme, chance, side="right")
    _add_uniform_loss(figure, theme, chance)
    figure.update_layout(hovermode="x unified", showlegend=False)
    alt = f"{title} {_last_values(history)}"
    return styled(
        figure, theme, title=title, alt=alt, height=PANELS_HEIGHT, right=_LABEL_MARGIN, top=_TOP_LABEL
    )


def _values(history: Sequence[EpochRecord], part: Part, quantity: Quantity) -> NDArray[np.float32]:
    scale = 100.0 if quantity == "acc" else 1.0
    return np.array([scale * getattr(record, f"{part}_{quantity}") for record in history], dtype=np.float32)


def _add_lines(
    figure: go.Figure, history: Sequence[EpochRecord], quantity: Quantity, row: int, colour: str
) -> None:
    epochs = np.array([record.epoch for record in history], dtype=np.int32)
    number = "%{y:.1f}" + NARROW_SPACE + "%" if quantity == "acc" else "%{y:.3g}"
    for part in _PARTS:
        figure.add_trace(
            go.Scatter(
                x=epochs,
                y=_values(history, part, quantity),
                name=f"{PART_LABELS[part]} {'accuracy' if quantity == 'acc' else 'loss'}",
                # A line of one point is invisible.
                mode="lines" if len(history) > 1 else "lines+markers",
                line={"color": colour, "width": LINE_WIDTH, "dash": PART_DASH[part]},
                marker={"size": 6, "color": colour},
                hovertemplate=number,
                **on_row(row),
            )
        )


def _label_ends(
    figure: go.Figure,
    theme: Theme,
    history: Sequence[EpochRecord],
    quantity: Quantity,
    row: int,
    high: float,
    colour: str,
) -> None:
    ends = [min(float(_values(history, part, quantity)[-1]), high) for part in _PARTS]
    places = spread(ends, _LABEL_GAP * high, 0.03 * high, 0.97 * high)
    x, y = on_row(row).values()
    for part, place in zip(_PARTS, places, strict=True):
        figure.add_annotation(
            text=PART_LABELS[part], x=history[-1].epoch, y=place, xanchor="left", xshift=6, showarrow=False,
            font={"size": FONT_SIZE, "color": colour if part == "test" else theme.ink}, xref=x, yref=y,
        )  # fmt: skip


def _mark_best(figure: go.Figure, theme: Theme, best: BestEpoch, total_epochs: int, colour: str) -> None:
    figure.add_shape(
        type="line", xref="x", yref="paper", x0=best.epoch, x1=best.epoch, y0=0, y1=1,
        line={"color": theme.muted, "width": REFERENCE_WIDTH, "dash": "dot"}, layer="below",
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=[best.epoch],
            y=[100 * best.test_acc],
            name="best epoch",
            mode="markers",
            marker={
                "size": CURVE_MARK_SIZE + 2,
                "color": theme.background,
                "line": {"color": colour, "width": 3},
            },
            hoverinfo="skip",
            **on_row(1),
        )
    )
    late = best.epoch > total_epochs / 2
    figure.add_annotation(
        text=f"best: epoch {counted(best.epoch)}", xref="x", yref="paper", x=best.epoch, y=1,
        xanchor="right" if late else "left", yanchor="bottom", showarrow=False,
        font={"size": FONT_SIZE - 1, "color": theme.muted},
    )  # fmt: skip


def _add_uniform_loss(figure: go.Figure, theme: Theme, chance: Chance) -> None:
    loss = -math.log(chance.uniform)
    figure.add_shape(
        type="line", xref="x2 domain", yref="y2", x0=0, x1=1, y0=loss, y1=loss,
        line={"color": theme.reference, "width": REFERENCE_WIDTH, "dash": "2px,5px"}, layer="below",
    )  # fmt: skip
    figure.add_annotation(
        text=f"{UNIFORM_GUESS}: {significant(loss)}", xref="x2 domain", yref="y2", x=1, y=loss,
        xanchor="right", yanchor="bottom", xshift=-4, showarrow=False,
        font={"size": FONT_SIZE - 1, "color": theme.muted},
        bgcolor=faded(theme.background, 0.75), borderpad=0,
    )  # fmt: skip


def _loss_top(history: Sequence[EpochRecord], chance: Chance) -> float:
    """Return the end of the loss axis: a step times a power of ten, above all that is drawn."""
    losses = np.concatenate([_values(history, part, "loss") for part in _PARTS])
    finite = losses[np.isfinite(losses)]
    need = max(float(finite.max(initial=0.0)), -1.15 * math.log(chance.uniform))
    return step_above(need)


def step_above(need: float) -> float:
    """Return the end of an axis that begins at 0: a step times a power of ten, `need` (above 0) or more."""
    power = 10.0 ** math.floor(math.log10(need))
    return next(step * power for step in _LOSS_STEPS if step * power >= need)


def _last_values(history: Sequence[EpochRecord]) -> str:
    last = history[-1]
    accuracies = ", ".join(
        f"{PART_LABELS[part]} accuracy {percent(getattr(last, f'{part}_acc'))}" for part in _PARTS
    )
    losses = ", ".join(
        f"{PART_LABELS[part]} loss {significant(getattr(last, f'{part}_loss'))}" for part in _PARTS
    )
    return f"After {_epochs(last.epoch)}: {accuracies}; {losses}."


def _epochs(number: int) -> str:
    return "1 epoch" if number == 1 else f"{counted(number)} epochs"
