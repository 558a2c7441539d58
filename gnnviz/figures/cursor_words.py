"""What the depth cursor says: a frame's stamp, what t-SNE hides, and the sentence above the figure."""

from __future__ import annotations

from collections.abc import Sequence

from gnnviz.cursor import ALIKE_FROM, CursorFrames, TsneFrame, alike_share, spread_of
from gnnviz.figures.layout import NARROW_SPACE, percent, significant
from gnnviz.smoothing import METRICS

# Below this share of alike pairs a state is not called collapsed.
COLLAPSED = 0.9
# From this share of its widest frame on, t-SNE is said to fill its axes.
FILLED = 0.5


def place_name(place: int, frames: CursorFrames, over: str) -> str:
    """Return "16 layers", "layer 3 of 16" or "layer 16 of 16, the logits"."""
    if over == "depths":
        return "1 layer" if place == 1 else f"{place} layers"
    last = frames.places[-1]
    return f"layer {place} of {last}{', the logits' if place == last else ''}"


def frame_stamp(frames: CursorFrames, place: int) -> tuple[tuple[str, str], ...]:
    """Return what is known of a frame, as pairs of a name and a value: accuracy, measures, alike pairs.

    Args:
        frames: all of them.
        place: which one, from 0.
    """
    accuracy, share = frames.accuracies[place], alike_share(frames.cosines[place])
    measures = [(METRICS[name].label, values[place].value) for name, values in frames.measures.items()]
    return (
        ("test accuracy", "not known" if accuracy is None else percent(accuracy)),
        *((label, "no value" if value is None else significant(value)) for label, value in measures),
        (f"pairs with a cosine above {ALIKE_FROM:g}", "no pairs" if share is None else percent(share)),
    )


def frames_alt(frames: CursorFrames, names: Sequence[str]) -> str:
    """Return the figure in words: the stamps of its first and its last frame."""
    ends = sorted({0, len(names) - 1})
    told = (f"{names[end]}: {_in_words(frame_stamp(frames, end))}" for end in ends)
    return (
        f"All nodes in PCA and t-SNE, their cosines and measures, in {len(names)} frames. {'; '.join(told)}."
    )


def cursor_finding(frames: CursorFrames, over: str) -> str:
    """Return how alike the nodes of the first frame are, and those of the frame that is most alike."""
    shares = [alike_share(cosines) for cosines in frames.cosines]
    known = [(share, place) for place, share in enumerate(shares) if share is not None]
    if not known:
        return "No frame has two nodes with a signal to compare"
    first, (most, place) = known[0], max(known, key=lambda pair: pair[0])
    names = [place_name(number, frames, over) for number in frames.places]
    where = "With" if over == "depths" else "In"
    told = f"{percent(first[0])} of all pairs of nodes have a cosine above {ALIKE_FROM:g}"
    begun = f"{where} {names[first[1]]}, {told}"
    if len(known) == 1:
        return begun
    if place == first[1]:
        return f"{begun}, and in no frame more"
    return f"{begun}; {where.lower()} {names[place]}, {percent(most)}"


def hidden_finding(frames: CursorFrames, tsne: Sequence[TsneFrame], over: str) -> str:
    """Return what t-SNE hides in these frames, in their numbers; "" while no frame of it is there.

    Args:
        frames: all frames.
        tsne: the first frames' t-SNE, as many as are there.
        over: "depths" or "layers".
    """
    drawn = [
        (share, place)
        for place, frame in enumerate(tsne)
        if frame.points is not None and frame.points.any()
        if (share := alike_share(frames.cosines[place])) is not None
    ]
    if not drawn:
        return ""
    share, place = max(drawn)
    name = place_name(frames.places[place], frames, over)
    where = f"{'with' if over == 'depths' else 'in'} {name}"
    pairs = f"{percent(share)} of all pairs have a cosine above {ALIKE_FROM:g}"
    if share < COLLAPSED:
        return f"t-SNE has little to hide here yet: even {where}, no more than {pairs}."
    widths = _widths(frames, tsne, place)
    wide, flat = map(whole_percent, widths)
    fills = widths[0] >= FILLED
    return (
        f"t-SNE hides collapse: {where}, {pairs}, {'yet t-SNE still' if fills else 'and t-SNE'} spreads the "
        f"nodes over {wide} of the width of its widest frame. PCA on one scale spreads them over {flat}."
    )


def hidden_note(frames: CursorFrames, tsne: Sequence[TsneFrame], place: int) -> str:
    """Return what to hold against one t-SNE frame: how wide it is drawn, and how alike the nodes are."""
    share = alike_share(frames.cosines[place])
    wide, _ = _widths(frames, tsne, place)
    if share is None:
        return ""
    return f"{whole_percent(wide)} as wide as its widest frame; {percent(share)} of pairs are alike."


def whole_percent(share: float) -> str:
    """Return a share in 0..1 as percent; below one percent with a digit that is not 0."""
    return f"{100 * share:.1g}{NARROW_SPACE}%" if 0 < share < 0.01 else f"{100 * share:.0f}{NARROW_SPACE}%"


def _widths(frames: CursorFrames, tsne: Sequence[TsneFrame], place: int) -> tuple[float, float]:
    """Return a frame's spread in t-SNE and in PCA, each as a share of the largest among the same frames."""
    arranged = [0.0 if frame.points is None else spread_of(frame.points) for frame in tsne]
    flat = [spread_of(points) for points in frames.points[: len(tsne)]]
    return arranged[place] / (max(arranged) or 1.0), flat[place] / (max(flat) or 1.0)


def _in_words(stamp: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in stamp)
