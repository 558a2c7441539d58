"""The model: one kind of graph layer, stacked, with dropout, activations and remedies between.

Knows how layers follow one another; knows no formula of a layer and no training.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gnnviz.csr import CSR
from gnnviz.dropout import feature_dropout
from gnnviz.errors import ConfigError
from gnnviz.layers import GCN2Conv, Propagation
from gnnviz.models import MODELS, ModelConfig
from gnnviz.remedy_layers import Jump, first_rows, initialise, with_residual
from gnnviz.stack_layers import graph_layers, linear_layers, norms, widths_after, widths_before
from gnnviz.torch_graph import BatchHop, Blocks, GraphLike, operators_of


class _HasAttention(Protocol):
    def attention(self, x: Tensor | CSR, edges: GraphLike) -> tuple[Tensor, Tensor]: ...


class Stack(nn.Module):
    """`num_layers` graph layers of one kind, with linear layers before and after where asked for.

    A graph layer that makes a hidden state is: dropout, the layer itself, the norm, the activation, the
    residual. Without a head the last graph layer makes the logits, and has neither of the last three.

    Args:
        config: which layers, how many, how wide, and which remedies.
        in_channels: F, 1 or more.
        out_channels: C, 2 or more.

    Attributes:
        config: as given.
        before: linear layers before the graph layers, each activated; where class scores are smoothed,
            the last one, which makes them, is not.
        layers: the graph layers in order.
        norms: of the graph layers that make hidden states; empty without that remedy.
        head: linear layers after the graph layers, activated but for the last; empty without a head.

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
        before = widths_before(config, in_channels, out_channels)
        self.before = linear_layers(before, bias=config.bias)
        self.layers = graph_layers(config, before[-1], out_channels)
        self.norms = norms(config)
        self.head = linear_layers(widths_after(config, out_channels), bias=config.bias)
        initialise(self, config.remedies.init)

    def forward(self, x: Tensor | CSR, graph: GraphLike | Blocks) -> Tensor:
        """Return the logits [N, C] from features x [N, F].

        Args:
            x: of the graph's nodes, or of those that the first hop of a mini-batch has sampled.
            graph: all edges in any form, or the hops of a mini-batch; the logits are then of the nodes that
                the last hop leaves.
        """
        if self.config.has_head:
            return self.classify(self.embeddings(x, graph))
        return deque(self._graph_states(self.start(x), self._hops(x, graph)), maxlen=1).pop()

    def embeddings(self, x: Tensor | CSR, graph: GraphLike | Blocks) -> Tensor:
        """Return what the head is given [N, H], or [N, L * H] where it sees all layers; args as `forward`.

        Raises:
            ConfigError: the model has no head.
        """
        if not self.config.has_head:
            label = MODELS[self.config.model].label
            raise ConfigError(
                f"{label} as configured has no linear layer after its graph layers, and so no embeddings; "
                "set post_layers to 1"
            )
        jump = Jump(self.config.remedies.jumping)
        for h in self._graph_states(self.start(x), self._hops(x, graph)):
            jump.take(h)
        return jump.result()

    def classify(self, embeddings: Tensor) -> Tensor:
        """Return the logits [N, C] that the head makes of `embeddings`."""
        logits = self._through(self.head, embeddings)
        return F.elu(logits) if self.config.output_elu else logits

    def start(self, x: Tensor | CSR) -> Tensor | CSR:
        """Return what the first graph layer is given: the features, or what linear layers make of them."""
        if not self.before:
            return x
        h = self._through(self.before, x, from_features=True)
        return h if MODELS[self.config.model].propagates else self._activated(h)

    def hidden_states(self, x: Tensor | CSR, graph: GraphLike) -> Iterator[Tensor]:
        """Yield h0 = x [N, F], the hidden states after the activation [N, H], then the logits [N, C].

        These are num_states + 1 tensors, the last one being what `forward` returns. With a head the last
        graph layer's state is a hidden one, too. Where class scores are smoothed all states are [N, C].
        """
        yield x if isinstance(x, Tensor) and x.layout == torch.strided else x.to_dense()
        jump = Jump(self.config.remedies.jumping)
        for h in self._graph_states(self.start(x), self._hops(x, graph)):
            jump.take(h)
            yield h
        if self.config.has_head:
            yield self.classify(jump.result())

    def attention(self, x: Tensor | CSR, graph: GraphLike) -> list[tuple[Tensor, Tensor]]:
        """Return for each graph layer the edges [2, E] with self-loops and alpha [E, heads].

        Raises:
            ConfigError: the model has no attention.
        """
        if not MODELS[self.config.model].has_heads:
            with_heads = ", ".join(sorted(name for name, spec in MODELS.items() if spec.has_heads))
            raise ConfigError(f"{MODELS[self.config.model].label} has no attention; choose from {with_heads}")
        operators = operators_of(graph, x)
        start = self.start(x)
        inputs = [start, *self._graph_states(start, self._hops(x, operators))][: len(self.layers)]
        return [
            cast(_HasAttention, layer).attention(h, operators)
            for layer, h in zip(self.layers, inputs, strict=True)
        ]

    @property
    def most_heads(self) -> int:
        """The most attention heads that one layer has; 1 without attention."""
        return max(getattr(layer, "heads", 1) for layer in self.layers)

    def layer_of(self, parameter_name: str) -> int:
        """Return the number, 1 to num_states, of the state that a parameter helps to make first.

        Args:
            parameter_name: as `named_parameters` gives it.
        """
        part, number, *_ = parameter_name.split(".")
        if part == "before":
            return 1
        return self.config.num_layers + 1 if part == "head" else int(number) + 1

    def _graph_states(self, start: Tensor | CSR, hops: Sequence[BatchHop]) -> Iterator[Tensor]:
        """Yield the output of each graph layer, activated where it is a hidden state."""
        remedies = self.config.remedies
        # Features are no hidden state, whatever their width: nothing of them is added to one.
        previous = first = cast(Tensor, start) if self.before else None
        h = start
        for number, hop in enumerate(hops, start=1):
            h = self._graph_layer(number, h, first, hop)
            if self._makes_hidden_state(number):
                h = self._activated(self.norms[number - 1](h) if self.norms else h)
                h = with_residual(h, previous, first, remedies)
            elif self.config.output_elu:
                h = F.elu(h)
            previous = h if remedies.residual == "plain" else None
            if first is None and remedies.residual == "initial":
                first = h
            yield h

    def _graph_layer(self, number: int, h: Tensor | CSR, first: Tensor | None, hop: BatchHop) -> Tensor:
        """Return what graph layer `number` makes of `h` for the hop's target nodes, not yet activated."""
        layer = self.layers[number - 1]
        if isinstance(layer, Propagation):  # smooths class scores, which no weights follow: no dropout
            assert first is not None
            out = layer(h, hop.operators, first_rows(first, h.shape[0]))
        elif isinstance(layer, GCN2Conv):
            assert first is not None
            out = layer(self._dropped(h), hop.operators, first_rows(first, h.shape[0]))
        else:
            from_features = number == 1 and not self.before
            out: Tensor = layer(self._dropped(h, from_features=from_features), hop.operators)
        # A copy: the activation works in place, which is slow on a view, and the rest is not needed.
        return out if len(out) == hop.num_targets else out[: hop.num_targets].clone()

    def _makes_hidden_state(self, number: int) -> bool:
        """Return whether graph layer `number` is followed by norm, activation and residual."""
        smooths = MODELS[self.config.model].propagates
        return not smooths and (self.config.has_head or number < self.config.num_layers)

    def _through(self, linear: nn.ModuleList, h: Tensor | CSR, *, from_features: bool = False) -> Tensor:
        """Return `h` after linear layers, activated between them."""
        for number, layer in enumerate(linear):
            if number > 0:
                h = self._activated(cast(Tensor, h))
            h = layer(self._dropped(h, from_features=from_features and number == 0))
        return cast(Tensor, h)

    def _activated(self, h: Tensor) -> Tensor:
        """Return the activation of a layer's or norm's result, in place: nobody else holds it."""
        return F.relu_(h) if self.config.activation == "relu" else F.elu_(h)

    def _dropped(self, h: Tensor | CSR, *, from_features: bool = False) -> Tensor | CSR:
        """Return a layer's input after dropout, which happens while training only."""
        is_left_alone = from_features and self.config.dropout_on == "between"
        return feature_dropout(h, self.config.dropout if self.training and not is_left_alone else 0.0)

    def _hops(self, x: Tensor | CSR, graph: GraphLike | Blocks) -> Sequence[BatchHop]:
        """Return for each graph layer its edges, of which training with DropEdge leaves some out."""
        share = self.config.remedies.drop_edge if self.training else 0.0
        if not isinstance(graph, tuple):
            operators = operators_of(graph, x)
            operators = operators.without_edges(share) if share else operators
            return [BatchHop(operators, operators.num_nodes)] * self.config.num_layers
        if len(graph) != self.config.num_layers:
            raise ConfigError(
                f"got {len(graph)} hops for {self.config.num_layers} layers; give one per layer"
            )
        if not share:
            return graph
        return [BatchHop(hop.operators.without_edges(share), hop.num_targets) for hop in graph]
