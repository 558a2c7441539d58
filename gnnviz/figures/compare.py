"""Several runs in one figure: for each a curve over epochs, its accuracy or loss on one part of the nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from gnnviz.errors import ConfigError
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
)
from gnnviz.figures.theme import (
    CURVE_MARK_SIZE,
    FONT_SIZE,
    LINE_WIDTH,
    PART_DASH,
    PART_LABELS,
    REFERENCE_WIDTH,
    Part,
    Theme,
    faded,
    model_style,
    model_tints,
)
from gnnviz.records import BestEpoch, EpochRecord

MOST_CURVES = 8
LABEL_SEPARATOR = " · "

_NARROW_LABEL = 10  # characters in a line of a label
_WIDE_LABEL = 22
_LABEL_ROOM = 0.94  # share of the panel's height that labels may fill
_NARROW_ROOM = 0.76  # and where narrow ones would fill more, they stand too far from their lines
_LEADER_OPACITY = 0.35
# Height of one line of a label, as a share of the panel's height.
_LABEL_LINE = 0.047
_CHARACTER_WIDTH = 8  # px, of a label's font
_LOSS_FLOOR = 0.01


@dataclass(frozen=True, slots=True)
class RunCurve:
    """One run of the comparison.

    Attributes:
        label: what tells it from the others, in parts with `LABEL_SEPARATOR` between them.
        model: a key of `MODELS`; decides hue and mark.
        history: its epochs so far, ascending, at least one.
        best: the epoch chosen on the validation nodes, which is marked.
        limit: the most epochs it may take, if it is still training; None if it has ended.
    """

    label: str
    model: str
    history: Sequence[EpochRecord]
    best: BestEpoch | None = None
    limit: int | None = None


def compare_curves(
    runs: Sequence[RunCurve],
    theme: Theme,
    *,
    title: str,
    part: Part,
    quantity: Quantity,
    chance: Chance | None = None,
    reason: str = "No run here has finished an epoch yet.",
) -> go.Figure:
    """Return one line a run against the epoch, with its name at the line's end.

    A model has its hue and its mark as everywhere; runs of one model differ in how dark they are, in
    the order given. The line style is that of the part of the nodes. The mark is the run's best epoch.

    Args:
        runs: `MOST_CURVES` at most, shallow ones first; may be empty.
        theme: light or dark.
        title: a sentence.
        part: whose curve: training, validation or test nodes.
        quantity: accuracy or loss.
        chance: accuracies without learning on these nodes; None draws none, nor does a loss.
        reason: what the empty figure says.

    Raises:
        ConfigError: more runs than can be told apart.
    """
    if len(runs) > MOST_CURVES:
        raise ConfigError(
            f"{len(runs)} runs cannot be told apart in one figure; choose {MOST_CURVES} or fewer"
        )
    if not runs:
        return empty_figure(theme, title=title, reason=reason)
    values = [_values(run, part, quantity) for run in runs]
    top = 100.0 if quantity == "acc" else _loss_top(values)
    colours = _colours(runs, theme)
    figure = go.Figure()
    for run, line, colour in zip(runs, values, colours, strict=True):
        _add_line(figure, theme, run, line, colour, part, quantity)
    _label_ends(figure, theme, runs, values, colours, top)
    if chance is not None and quantity == "acc":
        add_chance_lines(figure, theme, chance, side="right")
    figure.update_xaxes(axis(theme, "epoch", range=[0, _last_epoch(runs)], tickformat=",d", nticks=7))
    figure.update_yaxes(_value_axis(theme, part, quantity, top))
    figure.update_layout(hovermode="x unified", showlegend=False)
    longest = max(len(line) for text in _label_texts(runs) for line in text)
    alt = f"{title} {_ends_in_words(runs, values, part, quantity)}"
    return styled(figure, theme, title=title, alt=alt, right=_CHARACTER_WIDTH * longest + 24)


def _values(run: RunCurve, part: Part, quantity: Quantity) -> NDArray[np.float32]:
    """Return the run's curve [epochs], accuracy in percent."""
    scale = 100.0 if quantity == "acc" else 1.0
    return np.array([scale * getattr(record, f"{part}_{quantity}") for record in run.history], np.float32)


def _loss_top(values: Sequence[NDArray[np.float32]]) -> float:
    losses = np.concatenate(values)
    return step_above(max(_LOSS_FLOOR, float(losses[np.isfinite(losses)].max(initial=0.0))))


def _colours(runs: Sequence[RunCurve], theme: Theme) -> list[str]:
    counts = Counter(run.model for run in runs)
    tints = {model: iter(model_tints(model, count, theme)) for model, count in counts.items()}
    return [next(tints[run.model]) for run in runs]


def _add_line(
    figure: go.Figure,
    theme: Theme,
    run: RunCurve,
    values: NDArray[np.float32],
    colour: str,
    part: Part,
    quantity: Quantity,
) -> None:
    epochs = np.array([record.epoch for record in run.history], dtype=np.int32)
    number = "%{y:.1f}" + NARROW_SPACE + "%" if quantity == "acc" else "%{y:.3g}"
    figure.add_trace(
        go.Scatter(
            x=epochs,
            y=values,
            name=run.label,
            mode="lines" if len(values) > 1 else "lines+markers",  # a line of one point is invisible
            line={"color": colour, "width": LINE_WIDTH, "dash": PART_DASH[part]},
            marker={"size": 6, "color": colour},
            hovertemplate=number,
        )
    )
    if run.best is None or run.best.epoch not in epochs:
        return
    figure.add_trace(
        go.Scatter(
            x=[run.best.epoch],
            y=values[epochs == run.best.epoch],
            name=f"best epoch of {run.label}",
            mode="markers",
            marker={
                "symbol": model_style(run.model, theme).symbol,
                "size": CURVE_MARK_SIZE + 2,
                "color": theme.background,
                "line": {"color": colour, "width": 3},
            },
            hoverinfo="skip",
        )
    )


def _label_ends(
    figure: go.Figure,
    theme: Theme,
    runs: Sequence[RunCurve],
    values: Sequence[NDArray[np.float32]],
    colours: Sequence[str],
    top: float,
) -> None:
    """Write the names in the right margin; a pale line leads there from a curve that ends early."""
    texts = _label_texts(runs)
    ends = [_end(line, top) for line in values]
    places = _label_places([(end, len(text)) for end, text in zip(ends, texts, strict=True)], top)
    for run, colour, text, end, place in zip(runs, colours, texts, ends, places, strict=True):
        figure.add_shape(
            type="line", xref="x", x0=run.history[-1].epoch, x1=_last_epoch(runs), y0=end, y1=end,
            line={"color": faded(colour, _LEADER_OPACITY), "width": REFERENCE_WIDTH}, layer="below",
        )  # fmt: skip
        figure.add_annotation(
            text=f'<span style="color:{colour}">\u2501</span> ' + "<br>".join(text),
            xref="x domain", x=1, y=place, xanchor="left", xshift=4, align="left", showarrow=False,
            font={"size": FONT_SIZE, "color": theme.ink},
        )  # fmt: skip


def _label_places(labels: Sequence[tuple[float, int]], top: float) -> list[float]:
    """Return the height of each label's middle, from its line's end and how many lines of text it has."""
    lines = [end for end, count in labels for _ in range(count)]
    gap = min(_LABEL_LINE, _LABEL_ROOM / len(lines)) * top
    heights = iter(spread(lines, gap, 0.03 * top, 0.97 * top))
    return [fmean(next(heights) for _ in range(count)) for _, count in labels]


def _label_texts(runs: Sequence[RunCurve]) -> list[list[str]]:
    """Return each label's lines: narrow ones, to leave a phone some plot, where all of them fit."""
    narrow = [_packed(run.label, _NARROW_LABEL) for run in runs]
    fit = sum(map(len, narrow)) * _LABEL_LINE <= _NARROW_ROOM
    return narrow if fit else [_packed(run.label, _WIDE_LABEL) for run in runs]


def _packed(label: str, characters: int) -> list[str]:
    """Return a label in lines that break between its parts, of at most so many characters if parts allow."""
    lines: list[str] = []
    for part in label.split(LABEL_SEPARATOR):
        if lines and len(lines[-1]) + len(LABEL_SEPARATOR) + len(part) <= characters:
            lines[-1] += LABEL_SEPARATOR + part
        else:
            lines.append(part)
    return lines


def _last_epoch(runs: Sequence[RunCurve]) -> float:
    """Return the end of the epoch axis; while a run trains it grows in steps, and so seldom moves."""
    ends = [
        run.history[-1].epoch if run.limit is None else min(run.limit, step_above(run.history[-1].epoch))
        for run in runs
    ]
    return max(ends)


def _end(values: NDArray[np.float32], top: float) -> float:
    """Return the height of a line's end within the axis; an infinite loss has none and counts as the top."""
    last = float(values[-1])
    return min(last, top) if np.isfinite(last) else top


def _value_axis(theme: Theme, part: Part, quantity: Quantity, top: float) -> dict[str, object]:
    if quantity == "loss":
        return axis(theme, f"{PART_LABELS[part]} loss in nats", range=[0, top], nticks=6)
    name = f"{PART_LABELS[part]} accuracy"
    return axis(theme, name, range=[0, 100], ticksuffix=f"{NARROW_SPACE}%", dtick=25)


def _ends_in_words(
    runs: Sequence[RunCurve], values: Sequence[NDArray[np.float32]], part: Part, quantity: Quantity
) -> str:
    what = "accuracy" if quantity == "acc" else "loss"
    written = [
        percent(float(line[-1]) / 100) if quantity == "acc" else significant(float(line[-1]))
        for line in values
    ]
    ends = [
        f"{run.label} {number} after {counted(run.history[-1].epoch)}"
        for run, number in zip(runs, written, strict=True)
    ]
    return f"{PART_LABELS[part].capitalize()} {what} at the last epoch: {'; '.join(ends)}."
