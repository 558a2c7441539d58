"""See what a graph neural network does to a graph, layer by layer, and why depth helps or hurts it."""

__version__ = "0.1.0"
