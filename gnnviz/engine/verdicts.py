"""What a worker gathers to say why a run works or fails: the facts that `gnnviz.diagnosis` weighs.

Named by the app, computed on a worker, like `gnnviz.engine.analyses`, on which it stands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gnnviz.config import RunConfig
from gnnviz.controls import known_control
from gnnviz.datasets import OWN_PREFIX, DatasetSpec
from gnnviz.diagnosis import Diagnosis, explain
from gnnviz.diagnosis_facts import RunFacts, StateFacts
from gnnviz.engine.analyses import hidden_states
from gnnviz.engine.tasks import load_graph_once
from gnnviz.errors import RunError
from gnnviz.findings import chance_levels
from gnnviz.graph import Graph
from gnnviz.models import MODELS, Normalisation
from gnnviz.propagation_only import normalisation_of, propagated
from gnnviz.records import BestEpoch, EpochRecord
from gnnviz.rows import Matrix, MeasureUndefined, State, as_state, balanced
from gnnviz.runs import RunState, RunStore
from gnnviz.smoothing import METRICS, matched_rayleigh
from gnnviz.smoothing_edges import leading_eigenvector

FeatureFacts: TypeAlias = tuple[StateFacts | None, StateFacts | None]

DIRECTIONS = ("effective_rank", "mad")  # minutes for a table of many thousand features, so not for those


def diagnose(store_root: str, run_id: str, _moment: tuple[int, ...] = ()) -> Diagnosis:
    """Return why a run works or fails; takes seconds for a deep one.

    Args:
        store_root: the folder of runs.
        run_id: a run that has ended; one that was cancelled is judged by what it has.
        _moment: anything that changes when this run or its control has been trained on. It is not looked
            at; but an answer is kept by its question, and the same question would get the old one.

    Raises:
        RunError: there is no such run, it goes on, or it has no epoch whose weights are kept.
        DatasetError: the run's graph is not there any more.
    """
    return explain(facts_of(store_root, run_id))


def facts_of(store_root: str, run_id: str) -> RunFacts:
    """Return what a run is judged by; arguments and errors as `diagnose`."""
    store = RunStore(Path(store_root))
    config, best = store.config(run_id), _best(store, run_id)
    graph = load_graph_once(config.dataset)
    measure = matched_rayleigh(config.model)
    trained, untrained = (
        tuple(state_facts(h, graph, measure, DIRECTIONS) for h in hidden_states(store_root, run_id, epoch))
        for epoch in (best.epoch, 0)
    )
    features, averaged = _averaged(config, graph)
    return RunFacts(
        config=config,
        history=store.history(run_id),
        best=best,
        train_chance=chance_levels(graph, "train"),
        test_chance=chance_levels(graph, "test"),
        trained=trained,
        untrained=untrained,
        averaged=averaged,
        features=features,
        control=_control(store, config),
    )


def state_facts(h: State, graph: Graph, measure: str, more: Sequence[str] = ()) -> StateFacts:
    """Return what is known of one hidden state.

    Args:
        h: the state [N, d].
        graph: the graph of N nodes.
        measure: the key of the normalised energy that fits the model, from `matched_rayleigh`.
        more: of `DIRECTIONS`, those to measure as well.

    Raises:
        RunError: the state holds NaN or infinity.
    """
    try:
        state = as_state(h)
    except MeasureUndefined as error:
        raise RunError(f"a hidden state cannot be judged: {error}") from error
    largest = float(np.abs(state).max())
    live = largest > 0
    return StateFacts(
        size=largest * float(np.sqrt(np.mean((state / largest) ** 2))) if live else 0.0,
        dead=METRICS["dead_rows"](state, graph),
        spread=_spread(state) if live else None,
        aligned=_aligned(state, graph, measure) if live and graph.num_edges else None,
        energy=_value(measure, state, graph),
        rank=_value("effective_rank", state, graph) if "effective_rank" in more else None,
        mad=_value("mad", state, graph) if "mad" in more else None,
    )


def _best(store: RunStore, run_id: str) -> BestEpoch:
    """Return the best epoch of a run that can be judged."""
    status = store.status(run_id)
    if status.state.is_active:
        raise RunError(f"run {run_id} is {status.state.value}; why it does what it does is said at its end")
    if status.best is None:
        why = f": {status.message}" if status.state is RunState.FAILED else ""
        raise RunError(f"run {run_id} has finished no epoch, so there is nothing to judge{why}")
    missing = {0, status.best.epoch}.difference(store.checkpoints(run_id))
    if missing:
        raise RunError(f"run {run_id} has not kept epoch {min(missing)}; continue it to its end first")
    return status.best


def _spread(h: Matrix) -> float:
    """Return the share of |X|^2 that is not one row for all nodes, in 0..1."""
    state = balanced(h)
    rest = state - state.mean(axis=0)
    return float(np.vdot(rest, rest) / np.vdot(state, state))


def _aligned(h: Matrix, graph: Graph, measure: str) -> float:
    """Return the share of |X|^2 in the space that the averaging leads to, in 0..1."""
    weight, component = _limit(graph, measure)
    nodes = np.arange(graph.num_nodes)
    basis = sparse.csr_array((weight, (component, nodes)), shape=(component.max() + 1, graph.num_nodes))
    state = balanced(h)
    inside = basis @ state  # [components, d]
    return float(min(np.vdot(inside, inside) / np.vdot(state, state), 1.0))


def _limit(graph: Graph, measure: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the limit's value at each node [N], of length 1 in each component, and the components [N].

    Sums that are not normalised lead to one vector for the whole graph: the component whose values grow
    fastest leaves nothing of the others.
    """
    if measure == "rayleigh_sum":
        return leading_eigenvector(graph)[1], np.zeros(graph.num_nodes, dtype=np.int64)
    component = graph.components()
    weight = np.sqrt(graph.degrees() + 1.0) if measure == "rayleigh_sym" else np.ones(graph.num_nodes)
    return weight / np.sqrt(np.bincount(component, weights=weight**2))[component], component


def _value(measure: str, h: Matrix, graph: Graph) -> float | None:
    try:
        return METRICS[measure](h, graph)
    except MeasureUndefined:
        return None


def _averaged(config: RunConfig, graph: Graph) -> FeatureFacts:
    """Return the features before and after as many steps of averaging as the last hidden state has behind it.

    Where jumping hands on every hidden state, they are held against the first, which is averaged once.
    """
    if not MODELS[config.model.model].uses_graph or not graph.num_edges:
        return None, None
    smooths = MODELS[config.model.model].propagates or config.model.has_head
    jumps = config.model.remedies.jumping != "none"
    steps = 1 if jumps else max(config.model.num_layers - (not smooths), 1)
    how = normalisation_of(config.model), matched_rayleigh(config.model)
    if config.dataset.name.startswith(OWN_PREFIX):  # its files may change
        return _averaged_features(graph, steps, *how)
    return _averaged_bundled(config.dataset, steps, *how)


@lru_cache(maxsize=64)
def _averaged_bundled(
    dataset: DatasetSpec, steps: int, normalisation: Normalisation, measure: str
) -> FeatureFacts:
    return _averaged_features(load_graph_once(dataset), steps, normalisation, measure)


def _averaged_features(graph: Graph, steps: int, normalisation: Normalisation, measure: str) -> FeatureFacts:
    """Return the features and what is left of them; None for more than memory should hold at once."""
    try:
        states = propagated(graph, normalisation, steps)
        before = state_facts(next(states), graph, measure)
        return before, state_facts(deque(states, maxlen=1).pop(), graph, measure)
    except MeasureUndefined:
        return None, None


def _control(store: RunStore, config: RunConfig) -> EpochRecord | None:
    """Return the best epoch of the run without edges, if it is finished and not this one."""
    known = store.look()
    control = known_control(config, tuple(known))
    status = known.get(control)
    if control == config or status is None or status.state is not RunState.DONE or status.best is None:
        return None
    best = status.best.epoch
    return next((record for record in store.history(control.run_id) if record.epoch == best), None)
