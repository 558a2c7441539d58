"""One step down the gradient: Adam on a model's parameters, and what it says about each layer.

Knows the parameters and which layer they belong to; knows no graph and no loss.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gnnviz.config import TrainConfig
from gnnviz.records import TrainState
from gnnviz.stack import Stack
from gnnviz.state_tensors import Arrays, part_of, prefixed, to_numpy

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


class Descent:
    """Adam on all parameters that a loss reaches, with weight decay on the first layer or on all.

    Args:
        model: whose parameters are changed.
        config: learning rate and weight decay.

    Reference: Kingma & Ba, ICLR 2015, algorithm 1.
    """

    def __init__(self, model: Stack, config: TrainConfig) -> None:
        self._parameters = dict(model.named_parameters())
        self._layer_of = {name: model.layer_of(name) for name in self._parameters}
        self._num_layers = model.config.num_states
        first, rest = [], []
        for name, parameter in self._parameters.items():
            (first if self._layer_of[name] == 1 else rest).append(parameter)
        groups = [
            {"params": first, "weight_decay": config.weight_decay},
            {"params": rest, "weight_decay": config.weight_decay if config.decay_on == "all" else 0.0},
        ]
        self._adam = torch.optim.Adam(groups, lr=config.learning_rate, fused=True)

    def differentiate(self, loss: Tensor) -> tuple[float, tuple[float, ...]]:
        """Return the loss and the norm of its gradient in each layer's parameters, and keep the gradient.

        A layer without parameters, or whose parameters the loss does not depend on, has norm 0.
        """
        self._adam.zero_grad()
        loss.backward()
        gradients = {name: p.grad for name, p in self._parameters.items() if p.grad is not None}
        value, *norms = torch.cat([loss.detach().unsqueeze(0), _norms(list(gradients.values()))]).tolist()
        return value, self._by_layer(dict(zip(gradients, norms, strict=True)))

    def step(self) -> None:
        """Change the parameters by the gradient that was kept."""
        self._adam.step()

    def weight_norms(self) -> tuple[float, ...]:
        """Return the norm of each layer's parameters."""
        norms = _norms([parameter.detach() for parameter in self._parameters.values()]).tolist()
        return self._by_layer(dict(zip(self._parameters, norms, strict=True)))

    def state(self) -> Arrays:
        """Return a copy of Adam's moments, by the names of the parameters."""
        arrays: Arrays = {}
        for name, parameter in self._parameters.items():
            arrays |= prefixed(f"optimiser.{name}", to_numpy(self._adam.state[parameter]))
        return arrays

    def restore(self, state: TrainState) -> None:
        """Take over the moments of `state`."""
        for name, parameter in self._parameters.items():
            moments = part_of(state, f"optimiser.{name}", parameter.device)
            self._adam.state[parameter] = {key: moments[key] for key in _MOMENTS if key in moments}

    def _by_layer(self, norms: dict[str, float]) -> tuple[float, ...]:
        """Return the norm of each layer [num_states] from those of its parameters."""
        squares = [0.0] * self._num_layers
        for name, norm in norms.items():
            squares[self._layer_of[name] - 1] += norm * norm
        return tuple(map(math.sqrt, squares))


def _norms(tensors: list[Tensor]) -> Tensor:
    """Return the Euclidean norm of each of P tensors [P]."""
    norms = torch._foreach_norm(tensors)  # pyright: ignore[reportPrivateImportUsage]
    return torch.stack(norms)
