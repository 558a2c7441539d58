"""What a worker computes again from a checkpoint: hidden states, predictions, attention, projections.

A run keeps weights only; a forward pass makes the rest, on the CPU and with the run's number of
threads. Graphs and the last few models stay in the worker's memory. Results are numpy arrays; torch
is imported inside the functions, for the app imports this module to name them.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from gnnviz.datasets import OWN_PREFIX, DatasetSpec
from gnnviz.engine.tasks import load_graph_once, set_up_torch
from gnnviz.errors import RunError
from gnnviz.models import build_model
from gnnviz.projection import ProjectionResult, project
from gnnviz.runs import RunStore

if TYPE_CHECKING:
    from torch import Tensor

    from gnnviz.stack import Stack
    from gnnviz.torch_graph import TorchGraph

Values: TypeAlias = NDArray[np.float32]


def hidden_states(store_root: str, run_id: str, epoch: int) -> tuple[Values, ...]:
    """Return h1 [N, H] to the last one [N, C], the logits: what each layer gave, activated, no dropout.

    Args:
        store_root: the folder of runs.
        run_id: which run.
        epoch: one of the run's checkpoints.

    Raises:
        RunError: there is no such run or checkpoint.
        DatasetError: the run's graph is not there any more.
    """
    import torch

    model, graph = _model_and_graph(store_root, run_id, epoch)
    with torch.inference_mode():
        return tuple(state.numpy() for state in islice(model.hidden_states(graph.x, graph), 1, None))


def layer_state(store_root: str, run_id: str, epoch: int, layer: int) -> Values:
    """Return what one layer gave [N, H], or the features [N, F] for layer 0, as `hidden_states`.

    Raises:
        RunError: there is no such run, checkpoint or layer.
        DatasetError: the run's graph is not there any more.
    """
    import torch

    model, graph = _model_and_graph(store_root, run_id, epoch)
    num_states = model.config.num_states
    if not 0 <= layer <= num_states:
        raise RunError(f"run {run_id} has no layer {layer}; choose from 0 to {num_states}")
    with torch.inference_mode():
        return next(islice(model.hidden_states(graph.x, graph), layer, None)).numpy()


def first_state(store_root: str, run_id: str, epoch: int) -> Values:
    """Return the state that models mix into every layer, or that SGC smooths [N, H]; as `hidden_states`.

    It is what the linear layers before the graph layers make; without such layers, the first hidden state.
    """
    import torch

    model, graph = _model_and_graph(store_root, run_id, epoch)
    if not model.before:
        return layer_state(store_root, run_id, epoch, 1)
    with torch.inference_mode():
        return cast("Tensor", model.start(graph.x)).numpy()


def predictions(store_root: str, run_id: str, epoch: int) -> Values:
    """Return each node's probabilities of the classes [N, C]; each row sums to 1. As `hidden_states`."""
    import torch

    model, graph = _model_and_graph(store_root, run_id, epoch)
    with torch.inference_mode():
        return model(graph.x, graph).softmax(dim=1).numpy()


def attention(store_root: str, run_id: str, epoch: int) -> tuple[tuple[NDArray[np.int64], Values], ...]:
    """Return for each layer its edges [2, E] with self-loops and alpha [E, heads]. As `hidden_states`.

    Raises:
        ConfigError: the run's model has no attention.
    """
    import torch

    model, graph = _model_and_graph(store_root, run_id, epoch)
    with torch.inference_mode():
        return tuple((edges.numpy(), alpha.numpy()) for edges, alpha in model.attention(graph.x, graph))


def project_layer(
    store_root: str, run_id: str, epoch: int, layer: int, projection: str, dims: int = 2, seed: int = 0
) -> ProjectionResult:
    """Return what one layer gave as points [N, dims].

    Args:
        store_root: the folder of runs.
        run_id: which run.
        epoch: one of the run's checkpoints.
        layer: 0 for the features, 1 to num_states for what a layer gave, the last ones being the logits.
        projection: a key of `gnnviz.projection.PROJECTIONS`.
        dims: 2 or 3.
        seed: decides t-SNE's randomness.

    Raises:
        RunError: there is no such run, checkpoint or layer.
        ConfigError: there is no such projection.
        MeasureUndefined: the hidden state cannot be projected.
    """
    return project(projection, layer_state(store_root, run_id, epoch, layer), dims=dims, seed=seed)


def _model_and_graph(store_root: str, run_id: str, epoch: int) -> tuple[Stack, TorchGraph]:
    """Return the model as it was after `epoch`, ready to be evaluated, and the graph it was trained on."""
    config = RunStore(Path(store_root)).config(run_id)
    set_up_torch(config.threads)
    return _trained_model(store_root, run_id, epoch), _graph(config.dataset)


@lru_cache(maxsize=16)
def _trained_model(store_root: str, run_id: str, epoch: int) -> Stack:
    import torch

    store = RunStore(Path(store_root))
    config = store.config(run_id)
    weights = store.load_checkpoint(run_id, epoch)
    graph = load_graph_once(config.dataset)
    model = build_model(config.model, graph.num_features, graph.num_classes)
    model.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    return model.eval()


def _graph(spec: DatasetSpec) -> TorchGraph:
    return load_graph_once(spec).to_torch() if spec.name.startswith(OWN_PREFIX) else _bundled_graph(spec)


@lru_cache(maxsize=4)
def _bundled_graph(spec: DatasetSpec) -> TorchGraph:
    return load_graph_once(spec).to_torch()
