"""The tensors of a `TrainState`: torch's on one side, arrays by name on the other."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gnnviz.records import TrainState

Arrays = dict[str, NDArray[np.generic]]


def to_numpy(tensors: dict[str, Tensor]) -> Arrays:
    """Return copies on the CPU, by the same names."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}


def prefixed(prefix: str, arrays: Arrays) -> Arrays:
    """Return the arrays with `prefix` and a dot before their names."""
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def part_of(state: TrainState, prefix: str, device: torch.device) -> dict[str, Tensor]:
    """Return copies on `device` of the tensors whose names begin with `prefix` and a dot, without it."""
    start = f"{prefix}."
    return {
        name.removeprefix(start): torch.tensor(array, device=device)
        for name, array in state.tensors.items()
        if name.startswith(start)
    }
