"""The model: one kind of layer, stacked, with dropout and an activation between.

Knows how layers follow one another; knows no formula of a layer and no training.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gnnviz import layers
from gnnviz.csr import CSR
from gnnviz.dropout import feature_dropout
from gnnviz.errors import ConfigError
from gnnviz.models import MODELS, ModelConfig
from gnnviz.torch_graph import GraphLike, operators_of


class _HasAttention(Protocol):
    def attention(self, x: Tensor | CSR, edges: GraphLike) -> tuple[Tensor, Tensor]: ...


class Stack(nn.Module):
    """`num_layers` layers of one kind.

    Args:
        config: which layers, how many, how wide.
        in_channels: F, 1 or more.
        out_channels: C, 2 or more.

    Attributes:
        config: as given.
        layers: the layers in order.

    Raises:
        ConfigError: no features, or fewer than two classes.
    """

    def __init__(self, config: ModelConfig, in_channels: int, out_channels: int) -> None:
        super().__init__()
        if in_channels < 1:
            raise ConfigError(f"got {in_channels} features per node; a model needs 1 or more")
        if out_channels < 2:
            raise ConfigError(f"got {out_channels} classes; a model needs 2 or more to tell apart")
        self.config = config
        widths = [in_channels] + [config.hidden_channels] * (config.num_layers - 1) + [out_channels]
        self.layers = nn.ModuleList(
            _layer(config, *ends, is_last=number == config.num_layers)
            for number, ends in enumerate(pairwise(widths), start=1)
        )

    def forward(self, x: Tensor | CSR, graph: GraphLike) -> Tensor:
        """Return the logits [N, C] from features x [N, F]."""
        logits = None
        for state in self._states(x, graph):
            logits = state
        assert logits is not None  # there is at least one layer
        return logits

    def hidden_states(self, x: Tensor | CSR, graph: GraphLike) -> Iterator[Tensor]:
        """Yield h0 = x [N, F], the hidden states after the activation [N, H], then the logits [N, C].

        These are num_layers + 1 tensors, the last one being what `forward` returns.
        """
        yield x if isinstance(x, Tensor) and x.layout == torch.strided else x.to_dense()
        yield from self._states(x, graph)

    def attention(self, x: Tensor | CSR, graph: GraphLike) -> list[tuple[Tensor, Tensor]]:
        """Return for each layer the edges [2, E] with self-loops and alpha [E, heads].

        Raises:
            ConfigError: the model has no attention.
        """
        if not MODELS[self.config.model].has_heads:
            with_heads = ", ".join(sorted(name for name, spec in MODELS.items() if spec.has_heads))
            raise ConfigError(f"{MODELS[self.config.model].label} has no attention; choose from {with_heads}")
        inputs: list[Tensor | CSR] = [x, *self._states(x, graph)][:-1]
        operators = operators_of(graph, x)
        return [
            cast(_HasAttention, layer).attention(h, operators)
            for layer, h in zip(self.layers, inputs, strict=True)
        ]

    def _states(self, x: Tensor | CSR, graph: GraphLike) -> Iterator[Tensor]:
        """Yield the output of each layer, activated but for the last."""
        operators = operators_of(graph, x)
        # In place: a layer's result is held by nobody else.
        activate = F.relu_ if self.config.activation == "relu" else F.elu_
        share = self.config.dropout if self.training else 0.0
        h = x
        for number, layer in enumerate(self.layers, start=1):
            if number > 1 or self.config.dropout_on == "inputs":
                h = feature_dropout(h, share)
            h = layer(h, operators)
            if number < len(self.layers):
                h = activate(h)
            yield h


def _layer(config: ModelConfig, in_channels: int, out_channels: int, *, is_last: bool) -> nn.Module:
    """Return one layer with fresh weights."""
    spec = MODELS[config.model]
    make = getattr(layers, spec.conv)
    if not spec.has_heads:
        return make(in_channels, out_channels)
    heads = config.output_heads if is_last else config.heads
    return make(
        in_channels,
        out_channels if is_last else out_channels // heads,
        heads=heads,
        concat=not is_last,
        dropout=config.attention_dropout,
    )
