"""What the layers of a run are compared with, asked of the engine: controls, other seeds, theory."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.controls import CONTROL, known_control, line_help, line_label, other_seeds
from gnnviz.engine.layer_measures import layer_measures
from gnnviz.engine.theory_lines import propagation_measure, theory_line
from gnnviz.figures.comparison_lines import Comparison, Kind, Mark
from gnnviz.figures.layout import wrapped
from gnnviz.figures.reference_lines import Reference
from gnnviz.profiles import Extent, Measurement
from gnnviz.propagation_only import normalisation_of
from gnnviz.run_names import curve_labels
from gnnviz.theory import THEORY_LINES, TheoryResult
from pages.shared.background import ask, known_configs, plan_of, queue, run_store

SEEDS, PROPAGATION = "seeds", "propagation"
_LABEL_CHARACTERS = 18  # what the margin of the figure has room for
BRIEFLY = 0.05  # seconds to wait for one of many answers


@dataclass(frozen=True, slots=True)
class Compared:
    """What stands behind the measured lines.

    Attributes:
        curves: lines.
        levels: horizontal ones.
        marks: vertical ones.
        awaited: names of what is still being computed.
    """

    curves: tuple[Comparison, ...]
    levels: tuple[Reference, ...]
    marks: tuple[Mark, ...]
    awaited: tuple[str, ...]


def compared(
    config: RunConfig, lines: Sequence[str], others: Sequence[RunConfig], measure: str, extent: Extent
) -> Compared:
    """Return what is known of the chosen lines that are not the run itself, and asks for the rest.

    Args:
        config: the run that is looked at.
        lines: keys of `CONTROL_LINES` and `THEORY_LINES`.
        others: more runs on the same graph, each a line.
        measure: a key of `METRICS`.
        extent: "whole" graph or "largest" component.
    """
    found = {name: _controls(config, name, measure, extent) for name in lines if name in _CONTROLS}
    found |= {run.title: _other_run(run, label, measure, extent) for run, label in _labelled(config, others)}
    theory = {name: _theory(config, name, measure, extent) for name in lines if name in THEORY_LINES}
    results = {name: result for name, result in theory.items() if result is not None}
    curves = [curve for known in found.values() for curve in known or ()]
    for name, result in results.items():
        if result.curve:
            curves.append(Comparison(line_label(name), result.curve, "theory", line_help(name)))
    return Compared(
        curves=tuple(curves),
        levels=tuple(
            Reference(result.level, line_label(name), line_help(name))
            for name, result in results.items()
            if result.level is not None
        ),
        marks=tuple(
            Mark(result.depth, line_label(name), result.note)
            for name, result in results.items()
            if result.depth is not None
        ),
        awaited=tuple(_name(name) for name, known in (found | theory).items() if known is None),
    )


def _name(line: str) -> str:
    return line_label(line) if line in _CONTROLS or line in THEORY_LINES else line


def _labelled(config: RunConfig, others: Sequence[RunConfig]) -> list[tuple[RunConfig, str]]:
    """Return other runs, each with what tells it from the rest."""
    return list(zip(others, curve_labels((config, *others))[1:], strict=True))


def _other_run(run: RunConfig, label: str, measure: str, extent: Extent) -> tuple[Comparison, ...] | None:
    """Return the line of another run at its best epoch; None while it is being computed."""
    best = run_store().status(run.run_id).best
    if best is None:
        return ()
    answer = ask(layer_measures, run.run_id, best.epoch, (measure,), extent, patience=BRIEFLY)
    if answer is None:
        return None
    points = tuple((layer, found.value) for layer, found in enumerate(answer[0], 1))
    told = f"{run.title}, at its best epoch"
    return (Comparison("<br>".join(wrapped(label, _LABEL_CHARACTERS)), points, "run", told, run.model.model),)


def explain_lines(config: RunConfig, lines: Sequence[str], measure: str, extent: Extent) -> bool:
    """Say what each line to compare with is, its numbers, and why one is missing.

    Returns:
        Whether one of them is still being computed.
    """
    waits = False
    for name in lines:
        if name in THEORY_LINES:
            result = _theory(config, name, measure, extent)
            waits = waits or result is None
            numbers = f" *Here: {result.note}.*" if result is not None and result.note else ""
            st.caption(f"**{line_label(name)}**: {line_help(name)}{numbers}")
        elif name == CONTROL:
            waits = _offer_control(config) or waits
        elif name in _CONTROLS:
            st.caption(f"**{line_label(name)}**: {line_help(name)}{_none_yet(config, name)}")
    return waits


def _controls(config: RunConfig, name: str, measure: str, extent: Extent) -> tuple[Comparison, ...] | None:
    """Return the lines of one control, () where there is none; None while it is being computed."""
    if name == PROPAGATION:
        answer = ask(
            propagation_measure, config.dataset, normalisation_of(config.model), measure,
            config.model.num_layers, extent, slow=True,
        )  # fmt: skip
        return None if answer is None else (_line(name, answer, "propagation"),)
    known = known_configs()
    runs = other_seeds(config, known) if name == SEEDS else (known_control(config, known),)
    return _of_runs(name, runs, measure, extent, "seed" if name == SEEDS else "mlp")


def _of_runs(
    name: str, runs: Sequence[RunConfig], measure: str, extent: Extent, kind: Kind
) -> tuple[Comparison, ...] | None:
    """Return a line for each finished run at its best epoch; the name stands at one of them."""
    plan = plan_of(runs)
    answers = [
        ask(layer_measures, run.run_id, best.epoch, (measure,), extent, patience=BRIEFLY)
        for run in plan.done
        if (best := plan.statuses[run].best) is not None
    ]
    if any(answer is None for answer in answers):
        return None
    return tuple(
        _line(name, tuple(enumerate(answer[0], 1)), kind, named=not place)
        for place, answer in enumerate(answers)
        if answer is not None
    )


def _line(
    name: str, points: Sequence[tuple[int, Measurement]], kind: Kind, *, named: bool = True
) -> Comparison:
    values = tuple((layer, found.value) for layer, found in points)
    return Comparison(line_label(name) if named else "", values, kind, line_help(name))


def _theory(config: RunConfig, name: str, measure: str, extent: Extent) -> TheoryResult | None:
    """Return what theory says, None while it is being computed; at the best epoch if that is kept."""
    kept = run_store().checkpoints(config.run_id)
    if not kept:
        return TheoryResult(note="the run has not begun")
    best = run_store().status(config.run_id).best
    epoch = best.epoch if best is not None and best.epoch in kept else kept[-1]
    return ask(theory_line, config.run_id, epoch, name, measure, extent, slow=True)


def _offer_control(config: RunConfig) -> bool:
    """Say what the control is, and offer to train it if it is not there; return whether it is under way."""
    control = known_control(config, known_configs())
    st.caption(f"**{line_label(CONTROL)}**: {line_help(CONTROL)}")
    plan = plan_of([control])
    if plan.done:
        return False
    if plan.active:
        st.caption(":material/sync: The control is being trained.")
        return True
    st.button(
        "Train the control",
        on_click=queue,
        args=([control],),
        icon=":material/play_arrow:",
        help="Queues the MLP of this recipe and depth; its line appears when it is trained.",
    )
    return False


def _none_yet(config: RunConfig, name: str) -> str:
    if name == SEEDS and not plan_of(other_seeds(config, known_configs())).done:
        return " *Here: no other seed of this recipe and depth is trained yet; a sweep below trains some.*"
    return ""


_CONTROLS = (PROPAGATION, CONTROL, SEEDS)
