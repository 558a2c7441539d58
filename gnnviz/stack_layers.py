"""Which modules a `ModelConfig` asks for: graph layers, their norms, linear layers before and after.

Knows what a configuration needs; `gnnviz.stack` knows in which order a state passes through.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from gnnviz import layers
from gnnviz.models import MODELS, ModelConfig
from gnnviz.remedy_layers import make_norm


def linear_layers(widths: Sequence[int], *, bias: bool) -> nn.ModuleList:
    """Return the linear layers between these widths, one fewer than there are widths."""
    return nn.ModuleList(layers.Linear(*ends, bias=bias) for ends in pairwise(widths))


def widths_before(config: ModelConfig, in_channels: int, out_channels: int) -> list[int]:
    """Return F and the width after each linear layer that stands before the graph layers."""
    spec = MODELS[config.model]
    if spec.propagates:  # what is smoothed are class scores
        hidden = [config.hidden_channels] if "hidden_channels" in spec.takes else []
        return [in_channels, *hidden, out_channels]
    # A model with a head of its own has its first state made by a linear layer, too.
    count = 1 if spec.has_head else config.remedies.pre_layers
    return [in_channels, *[config.hidden_channels] * count]


def widths_after(config: ModelConfig, out_channels: int) -> list[int]:
    """Return the head's width and that after each of its linear layers, C at last; one width: no head."""
    hidden, remedies = config.hidden_channels, config.remedies
    if not config.has_head:
        return [out_channels]
    entry = hidden * config.num_layers if remedies.jumping == "concat" else hidden
    return [entry, *[hidden] * (remedies.post_layers - 1), out_channels]


def graph_layers(config: ModelConfig, in_channels: int, out_channels: int) -> nn.ModuleList:
    """Return the graph layers: all but one make hidden states, with a head all of them.

    Args:
        config: which, and how many.
        in_channels: width of what the first of them is given.
        out_channels: C, width of the logits.
    """
    widths = [in_channels] + [config.hidden_channels] * config.num_layers
    if not config.has_head:
        widths[-1] = out_channels
    return nn.ModuleList(
        _graph_layer(config, number, *ends, is_hidden=config.has_head or number < config.num_layers)
        for number, ends in enumerate(pairwise(widths), start=1)
    )


def norms(config: ModelConfig) -> nn.ModuleList:
    """Return the norm of each graph layer that makes a hidden state; none at all without that remedy."""
    remedies = config.remedies
    count = config.num_layers if config.has_head else config.num_layers - 1
    return nn.ModuleList(
        make_norm(remedies.norm, config.hidden_channels, remedies.norm_scale)
        for _ in range(count if remedies.norm != "none" else 0)
    )


def _graph_layer(
    config: ModelConfig, number: int, in_channels: int, out_channels: int, *, is_hidden: bool
) -> nn.Module:
    """Return graph layer `number`, from 1, with fresh weights."""
    spec = MODELS[config.model]
    if spec.propagates:
        return layers.Propagation(config.alpha if "alpha" in spec.takes else 0.0)
    if "theta" in spec.takes:
        return layers.GCN2Conv(in_channels, config.alpha, config.theta, number)
    make = getattr(layers, "DenseGATConv" if config.attention_form == "dense" else spec.conv)
    if spec.has_heads:
        return make(
            in_channels,
            out_channels // config.heads if is_hidden else out_channels,
            heads=config.heads if is_hidden else config.output_heads,
            concat=is_hidden,
            negative_slope=config.negative_slope,
            dropout=config.attention_dropout,
            bias=config.bias,
        )
    if "aggregator" in spec.takes:
        return make(
            in_channels,
            out_channels,
            config.bias,
            aggregator=config.aggregator,
            unit_length=config.unit_length and is_hidden,
            order_seed=number,
        )
    if "normalisation" in spec.takes:
        return make(in_channels, out_channels, config.bias, normalisation=config.normalisation)
    return make(in_channels, out_channels, config.bias)
