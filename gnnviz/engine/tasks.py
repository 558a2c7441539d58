"""What the cluster's workers run: `train_run` trains one run, `answer` computes one analysis.

The app imports this module to name its functions, so torch is imported inside them. No exception of
another package leaves a worker: unpickling one would import that package, torch, into the app.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING, TypeVar

import numpy as np

import gnnviz
from gnnviz.config import DeviceType, TrainConfig
from gnnviz.datasets import OWN_PREFIX, DatasetSpec, load_spec
from gnnviz.errors import GnnvizError, RunError
from gnnviz.graph import Graph
from gnnviz.models import ModelConfig
from gnnviz.run_files import in_words
from gnnviz.runs import Owner, RunState, RunStore, checkpoint_epochs

if TYPE_CHECKING:
    from gnnviz.training import Training

Value = TypeVar("Value")

LOOK_SECONDS = 0.2  # between two looks for a request to cancel, each with a new status
STATE_SECONDS = 1.5  # between two states to go on from, in the long run: what a killed worker loses
FIRST_STATE_SECONDS = 0.1  # until the first state; the time between two doubles from there
_VERSIONS_OF = ("torch", "numpy", "scipy")
_LOG = logging.getLogger("gnnviz.engine")


def answer(function: Callable[..., Value], arguments: tuple[object, ...]) -> Value:
    """Return `function(*arguments)`.

    Raises:
        GnnvizError: whatever went wrong, in our own words; the engine's log has the traceback.
    """
    try:
        return function(*arguments)
    except Exception as error:  # a border: nothing of another package may pass
        failure = _in_our_words(error)
        if not isinstance(error, GnnvizError):
            _LOG.exception("%s%r failed", function.__name__, arguments)
    raise failure  # out here, where it carries no other exception along as its context


def train_run(store_root: str, run_id: str, owner: Owner, queued_at: float) -> None:
    """Train a run to its end, from its last state if there is one; what comes of it is in the store.

    Args:
        store_root: the folder of runs.
        run_id: which run.
        owner: who queued it, and must have it still.
        queued_at: when that was; if the run was queued anew since, another task trains it.

    Raises:
        RunError: the run is gone, or its status cannot be written.
    """
    store = RunStore(Path(store_root))
    status = store.status(run_id)
    if store.owner(run_id) != owner or status.queued_at != queued_at:
        return
    if status.state is RunState.CANCELLED:
        store.write_status(run_id, replace(status, finished_at=time()))
        store.release(run_id, owner)
        return
    attempt = _Attempt(store, run_id)
    failure, trace = None, ""
    try:
        attempt.train()
    except Exception as error:  # a border, as in `answer`
        failure = _in_our_words(error)
        trace = "" if isinstance(error, GnnvizError) else traceback.format_exc()
    if failure is not None:
        attempt.fail(str(failure))
    if trace:
        with in_words(f"write the error of run {run_id}"):
            (Path(store_root) / run_id / "error.txt").write_text(trace)
    store.release(run_id, owner)


def fail_run(store: RunStore, run_id: str, owner: Owner, message: str) -> None:
    """Write that a run has failed, for a task that could not, and give the run up."""
    status = store.status(run_id)
    store.write_status(run_id, replace(status, state=RunState.FAILED, message=message, finished_at=time()))
    store.release(run_id, owner)


def load_graph_once(spec: DatasetSpec) -> Graph:
    """Return the graph, read once per worker; own files may change and are read every time."""
    return load_spec(spec) if spec.name.startswith(OWN_PREFIX) else _bundled_graph(spec)


def machine() -> tuple[tuple[DeviceType, ...], int]:
    """Return the kinds of device that torch finds here, the preferred one first, and the cores."""
    import torch
    from dask.system import CPU_COUNT

    return ("cuda", "cpu") if torch.cuda.is_available() else ("cpu",), CPU_COUNT


def set_up_torch(threads: int) -> None:
    """Set what torch's results and speed depend on, in the thread that computes.

    Numbers too small for float32's normal range become 0: networks that have collapsed are full of
    them, and they make a CPU many times slower.

    Args:
        threads: 1 or more.
    """
    import torch

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)


def warm_up() -> None:
    """Train a tiny graph for two epochs and read Cora, so that the first run begins at once."""
    from gnnviz import training

    set_up_torch(1)
    nodes = np.ones(4, dtype=bool)
    edges = np.array([[0, 1, 2], [1, 2, 3]])
    graph = Graph(np.eye(4, dtype=np.float32), edges, np.array([0, 0, 1, 1]), nodes, nodes, nodes)
    model = training.initial_model(ModelConfig(hidden_channels=2), 0, 4, 2)
    device = training.torch_device("cuda" if "cuda" in machine()[0] else "cpu")
    for _ in training.train(model.to(device), graph, TrainConfig(epochs=2)):
        pass
    load_graph_once(DatasetSpec())


@lru_cache(maxsize=4)
def _bundled_graph(spec: DatasetSpec) -> Graph:
    return load_spec(spec)


class _Attempt:
    """One attempt at training a run: writes down, at the right moments, what the training yields."""

    def __init__(self, store: RunStore, run_id: str) -> None:
        self._store, self._run_id = store, run_id
        before = store.status(run_id)
        self._seconds_before = before.seconds
        self._began = 0.0  # by the monotonic clock, once it trains
        versions = {"gnnviz": gnnviz.__version__, **{name: version(name) for name in _VERSIONS_OF}}
        self._status = replace(
            before,
            state=RunState.RUNNING,
            started_at=time(),
            attempts=before.attempts + 1,
            versions=versions,
        )
        self._write_status()

    def train(self) -> None:
        """Train until the run's end or a request to cancel, and write the outcome."""
        config = self._store.config(self._run_id)
        kept = checkpoint_epochs(config.training.epochs)
        training = self._prepare()
        self._began = monotonic()
        next_look, next_state = 0.0, self._began + FIRST_STATE_SECONDS
        with closing(training.steps()) as steps:
            for record in steps:  # or None, between two mini-batches
                if record is not None:
                    self._store.append(self._run_id, record)
                    if record.epoch in kept:
                        self._store.save_checkpoint(self._run_id, record.epoch, training.weights())
                now = monotonic()
                if now >= next_look:
                    next_look = now + LOOK_SECONDS
                    self._note(training)
                    if self._store.cancel_requested(self._run_id):
                        break
                if record is not None and now >= next_state:
                    next_state = now + min(STATE_SECONDS, now - self._began)
                    self._store.save_state(self._run_id, training.state())
            else:
                self._finish(training, RunState.DONE, str(training.skipped))
                return
        word = self._store.stop_word(self._run_id)
        self._finish(training, RunState.CANCELLED, f"{word} after epoch {training.epoch}")

    def fail(self, message: str) -> None:
        """Write that the run has failed."""
        self._status = replace(self._status, state=RunState.FAILED, message=message, finished_at=time())
        self._write_status()

    def _prepare(self) -> Training:
        """Return the training, continued from the last state, with the history cut to fit."""
        from gnnviz import training

        config = self._store.config(self._run_id)
        set_up_torch(config.threads)
        device = training.torch_device(config.device)
        graph = load_graph_once(config.dataset)
        model = training.initial_model(
            config.model, config.training.seed, graph.num_features, graph.num_classes
        )
        state = self._store.load_state(self._run_id)
        prepared = training.train(model.to(device), graph, config.training, state)
        self._store.truncate_history(self._run_id, prepared.epoch)
        if state is None:
            self._store.save_checkpoint(self._run_id, 0, prepared.weights())
        return prepared

    def _finish(self, training: Training, state: RunState, message: str) -> None:
        """Keep the last and the best weights and what to go on from; the status comes last."""
        self._store.save_checkpoint(self._run_id, training.epoch, training.weights())
        if training.best is not None:
            self._store.save_checkpoint(self._run_id, training.best.epoch, training.best_weights())
        self._store.save_state(self._run_id, training.state())
        self._status = replace(self._status, state=state, message=message, finished_at=time())
        self._note(training)

    def _note(self, training: Training) -> None:
        seconds = self._seconds_before + monotonic() - self._began
        self._status = replace(self._status, epochs_done=training.epoch, best=training.best, seconds=seconds)
        self._write_status()

    def _write_status(self) -> None:
        self._store.write_status(self._run_id, self._status)


def _in_our_words(error: Exception) -> GnnvizError:
    """Return what went wrong as one of our errors that holds on to no other exception."""
    if isinstance(error, GnnvizError):
        return type(error)(*error.args)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return RunError(
            f"memory ran out ({error}); choose fewer layers or hidden channels, or a smaller graph"
        )
    return RunError(f"unexpected {type(error).__name__}: {error}")
