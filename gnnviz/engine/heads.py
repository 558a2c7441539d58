"""What a worker says about the attention heads of a run, from its checkpoint.

Named by the app, computed on a worker, like `gnnviz.engine.analyses`, on which it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gnnviz.attention import (
    NodeAttention,
    RelativeEntropy,
    Share,
    node_attention,
    relative_entropy,
    share_on_itself,
    share_on_same_class,
)
from gnnviz.engine.analyses import attention
from gnnviz.engine.tasks import load_graph_once
from gnnviz.errors import RunError
from gnnviz.runs import RunStore


def attention_on(store_root: str, run_id: str, epoch: int, layer: int, node: int) -> NodeAttention:
    """Return what each head of a layer pays to the inputs of a node.

    Args:
        store_root: the folder of runs.
        run_id: a run of a model with attention.
        epoch: one of the run's checkpoints.
        layer: 1 to num_layers.
        node: a node of the run's graph.

    Raises:
        RunError: there is no such run, checkpoint or layer.
        ConfigError: the model has no attention.
        AttentionError: there is no such node.
    """
    edge_index, alpha = _layer(store_root, run_id, epoch, layer)
    return node_attention(edge_index, alpha, node)


@dataclass(frozen=True, slots=True)
class AttentionShares:
    """Where the heads of a layer look, as means over nodes; `same_class` is None without labels."""

    itself: Share
    same_class: Share | None


def attention_shares(store_root: str, run_id: str, epoch: int, layer: int) -> AttentionShares:
    """Return how much attention stays at the node itself, and how much goes to its own class.

    Raises:
        RunError: there is no such run, checkpoint or layer.
        ConfigError: the model has no attention.
        AttentionError: no node has an input to choose from.
    """
    graph = load_graph_once(RunStore(Path(store_root)).config(run_id).dataset)
    edge_index, alpha = _layer(store_root, run_id, epoch, layer)
    return AttentionShares(
        share_on_itself(edge_index, alpha, graph.num_nodes),
        share_on_same_class(edge_index, alpha, graph.y)
        if graph.y is not None and graph.labelled.any()
        else None,
    )


def head_entropies(store_root: str, run_id: str, epoch: int) -> tuple[RelativeEntropy, ...]:
    """Return, for each layer, the entropy of every head at every node relative to uniform attention.

    Raises:
        RunError: there is no such run or checkpoint.
        ConfigError: the model has no attention.
    """
    num_nodes = load_graph_once(RunStore(Path(store_root)).config(run_id).dataset).num_nodes
    layers = attention(store_root, run_id, epoch)
    return tuple(relative_entropy(edge_index, alpha, num_nodes) for edge_index, alpha in layers)


def _layer(
    store_root: str, run_id: str, epoch: int, layer: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the edges [2, E] and alpha [E, heads] of a layer, counted from 1."""
    layers = attention(store_root, run_id, epoch)
    if not 1 <= layer <= len(layers):
        raise RunError(f"run {run_id} has no layer {layer}; choose from 1 to {len(layers)}")
    return layers[layer - 1]
