"""The layers: one class for each formula, called as `layer(x, graph)`.

Features are dense or sparse, a graph comes in any form that `gnnviz.torch_graph.operators_of` takes.
Parameters have PyG's names and shapes. No layer keeps anything of a call. `GCN2Conv` and `Propagation`
are given the first state as well, which they mix in: `layer(x, graph, first)`.
"""

from gnnviz.layers.dense_gat import DenseGATConv
from gnnviz.layers.gat import GATConv
from gnnviz.layers.gatv2 import GATv2Conv
from gnnviz.layers.gcn import GCNConv
from gnnviz.layers.linear import Features, Linear
from gnnviz.layers.propagation import GCN2Conv, Propagation
from gnnviz.layers.sage import SAGEConv

__all__ = [
    "DenseGATConv",
    "Features",
    "GATConv",
    "GATv2Conv",
    "GCN2Conv",
    "GCNConv",
    "Linear",
    "Propagation",
    "SAGEConv",
]
