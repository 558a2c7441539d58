"""The run store and the engine as pages hold them: one of each for the whole server."""

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.datasets import DatasetSpec, load_spec
from gnnviz.engine.client import Answer, Engine
from gnnviz.errors import GnnvizError
from gnnviz.graph import Graph
from gnnviz.records import EpochRecord
from gnnviz.runs import RunStatus, RunStore
from gnnviz.sweeps import SweepPlan, sweep_plan, sweep_seconds_left
from pages.shared.url import saying_why_not

PATIENCE = 0.3  # long enough for a quick answer, short enough that a page does not seem to hang
Value = TypeVar("Value")
_AWAITED, _DRAWN_AT, _UNTIL = "awaited_questions", "drawn_at", "patient_until"

_LOOK: ContextVar[list[Mapping[RunConfig, RunStatus]] | None] = ContextVar("look", default=None)

_DEFAULT_ROOT = Path(__file__).resolve().parents[2] / "runs"


def store_root() -> Path:
    """Return the folder of all runs: `runs` beside the app, or the one that GNNVIZ_RUNS names."""
    return Path(os.environ.get("GNNVIZ_RUNS", _DEFAULT_ROOT)).resolve()


@st.cache_resource(show_spinner=False)
def run_store() -> RunStore:
    """Return the store of all runs."""
    return RunStore(store_root())


@st.cache_resource(show_spinner=False, validate=Engine.is_alive, on_release=Engine.close)
def engine() -> Engine:
    """Return the engine; starts one if there is none yet, or if it has died.

    Raises:
        EngineError: it cannot be started or reached.
    """
    return Engine.start(store_root())


def close_engine() -> None:
    """Close the engine, if one was started."""
    engine.clear()


def ask(
    function: Callable[..., Value], *args: object, slow: bool = False, patience: float = PATIENCE
) -> Value | None:
    """Return `function(store_root, *args)` computed by the engine, or None while it is being computed.

    The question is asked once for all sessions, and its answer kept.

    Args:
        function: one of `gnnviz.engine.analyses` or `gnnviz.engine.summaries`.
        args: JSON-like values that name what is asked (a run's id, an epoch, a layer).
        slow: True for what may take many seconds and must not keep quick questions waiting; it is not
            waited for.
        patience: seconds to wait for a quick answer before doing without it for now; all questions of a page
            that is drawn as a whole share `PATIENCE`, so that many late answers do not hold it up.

    Raises:
        GnnvizError: what the computation raised; the next look asks again.
    """
    question = (id(engine()), function.__name__, args)
    answer = _answer(question, function, slow)
    if not answer.wait(0 if slow else min(patience, _patience_left())):
        st.session_state.setdefault(_AWAITED, {})[question] = (function, slow, answer)
        return None
    try:
        return answer.result()
    except GnnvizError:
        _answer.clear(question, function, slow)
        raise


@contextmanager
def dropping_what_is_not_awaited() -> Iterator[None]:
    """Draw a page in the block; questions that it has left behind do not hold up those that it now asks.

    What is being computed is computed to its end. Whoever else awaits a question asks it again.
    """
    before = st.session_state.pop(_AWAITED, {})
    st.session_state[_DRAWN_AT] = time.monotonic_ns()
    st.session_state[_UNTIL] = time.monotonic() + PATIENCE
    try:
        yield
    except BaseException:  # the browser has asked for something else: the next drawing will know
        st.session_state[_AWAITED] = before | st.session_state.get(_AWAITED, {})
        raise
    finally:
        st.session_state[_UNTIL] = math.inf
    awaited = st.session_state.get(_AWAITED, {})
    for question, (function, slow, answer) in before.items():
        if question not in awaited and not answer.done():
            _answer.clear(question, function, slow)


def _patience_left() -> float:
    return max(0.0, st.session_state.get(_UNTIL, math.inf) - time.monotonic())


@st.cache_resource(show_spinner=False, max_entries=256)
def _answer(question: tuple, _function: Callable[..., Value], _slow: bool) -> Answer[Value]:
    """Ask; what belongs to the page that was opened last comes first."""
    urgency = st.session_state.get(_DRAWN_AT, 0)
    return engine().ask(_function, str(store_root()), *question[-1], slow=_slow, urgency=urgency)


def run_config(run_id: str) -> RunConfig:
    """Return a run's configuration.

    Raises:
        RunError: there is no such run, or its file is damaged.
    """
    return run_store().config(run_id)


@contextmanager
def one_look() -> Iterator[None]:
    """Draw something in the block from one look at all runs: `look` reads them once."""
    outer = _LOOK.get()
    token = _LOOK.set([] if outer is None else outer)
    try:
        yield
    finally:
        _LOOK.reset(token)


def look() -> Mapping[RunConfig, RunStatus]:
    """Return all runs and how far each has come, the last queued first, as one drawing sees them."""
    looked = _LOOK.get()
    if looked is None:
        return run_store().look()
    if not looked:
        looked.append(run_store().look())
    return looked[0]


def known_configs() -> tuple[RunConfig, ...]:
    """Return the configurations of all runs, the last queued first."""
    return tuple(look())


def plan_of(configs: Sequence[RunConfig]) -> SweepPlan:
    """Return which of these runs are done, active, stopped or new."""
    return sweep_plan(look(), configs)


def submit(configs: Sequence[RunConfig]) -> None:
    """Queue runs; one that is done, or under way, stays as it is."""
    for config in configs:
        engine().submit(config)
    if looked := _LOOK.get():
        looked.clear()  # what is drawn from here on sees them


queue = saying_why_not(submit)  # for a button


def runs_on(name: str) -> list[tuple[RunConfig, RunStatus]]:
    """Return the runs on a graph and how far they have come, which says how long an epoch takes.

    Args:
        name: of `DatasetSpec`.
    """
    return [(run, status) for run, status in look().items() if run.dataset.name == name]


@st.cache_resource(show_spinner=False, max_entries=16)
def graph(spec: DatasetSpec) -> Graph:
    """Return the graph that `spec` names; read once, shared by all sessions, never changed.

    Raises:
        DatasetError: its files are missing or cannot be used.
    """
    return load_spec(spec)


def history(run_id: str) -> tuple[EpochRecord, ...]:
    """Return a run's epochs so far; parsed once for each length of its file."""
    return _history((run_id, run_store().history_size(run_id)))


def time_left(plan: SweepPlan) -> float | None:
    """Return the seconds until the active runs of a sweep have ended; None before the first epoch of any."""
    return sweep_seconds_left({run: plan.statuses[run] for run in plan.active}, engine().train_workers)


@saying_why_not
def resume(run_ids: Sequence[str]) -> None:
    """Put runs that ended early back into the queue, in this order; each goes on from its last state."""
    for run_id in run_ids:
        engine().resume(run_id)


@saying_why_not
def cancel(run_ids: Sequence[str]) -> None:
    """Have runs stopped; those that have not begun leave the queue."""
    for run_id in run_ids:
        engine().cancel(run_id)


@saying_why_not
def pause(run_ids: Sequence[str]) -> None:
    """Hold the runs that wait until `resume`; what has begun goes on."""
    engine().pause(run_ids)


@st.cache_data(show_spinner=False, max_entries=64)
def _history(run_and_size: tuple[str, int]) -> tuple[EpochRecord, ...]:
    return run_store().history(run_and_size[0])
