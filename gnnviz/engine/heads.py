"""What a worker says about the attention heads of a run, from its checkpoint.

Named by the app, computed on a worker, like `gnnviz.engine.analyses`, on which it stands.
"""

from __future__ import annotations

from pathlib import Path

from gnnviz.attention import NodeAttention, RelativeEntropy, node_attention, relative_entropy
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
    layers = attention(store_root, run_id, epoch)
    if not 1 <= layer <= len(layers):
        raise RunError(f"run {run_id} has no layer {layer}; choose from 1 to {len(layers)}")
    edge_index, alpha = layers[layer - 1]
    return node_attention(edge_index, alpha, node)


def head_entropies(store_root: str, run_id: str, epoch: int) -> tuple[RelativeEntropy, ...]:
    """Return, for each layer, the entropy of every head at every node relative to uniform attention.

    Raises:
        RunError: there is no such run or checkpoint.
        ConfigError: the model has no attention.
    """
    num_nodes = load_graph_once(RunStore(Path(store_root)).config(run_id).dataset).num_nodes
    layers = attention(store_root, run_id, epoch)
    return tuple(relative_entropy(edge_index, alpha, num_nodes) for edge_index, alpha in layers)
