"""Random numbers: streams that a seed gives, and torch's random states kept apart from the global ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

INITIAL_WEIGHTS, TRAINING, DRAWS = 0, 1, 2  # streams


def seed_torch(seed: int, stream: int) -> None:
    """Seed torch's global random states, so that streams of one seed have nothing to do with each other.

    Args:
        seed: 0 or more.
        stream: 0 or more; `INITIAL_WEIGHTS`, `TRAINING` and `DRAWS` are taken.
    """
    torch.manual_seed(stream_seed(seed, stream))


def stream_seed(seed: int, stream: int) -> int:
    """Return a 64-bit seed for one stream of a seed; other streams have nothing to do with it."""
    return int(np.random.SeedSequence((seed, stream)).generate_state(1, np.uint64)[0])


def epoch_generator(seed: int, epoch: int) -> np.random.Generator:
    """Return what an epoch draws its batches, neighbours and pairs from: the same whenever it is asked for.

    Args:
        seed: 0 or more.
        epoch: 1 or more.
    """
    return np.random.default_rng((seed, DRAWS, epoch))


class RandomStates:
    """The random states that one training draws from, kept apart from torch's global ones.

    Attributes:
        states: by kind of device, "cpu" and, on a GPU, "cuda"; uint8 vectors on the CPU.

    Args:
        device: where the numbers are drawn.
        seed: 64 bits, as `stream_seed` gives.
    """

    def __init__(self, device: torch.device, seed: int) -> None:
        self._device = device
        self.states = {"cpu": torch.Generator().manual_seed(seed).get_state()}
        if device.type == "cuda":
            self.states["cuda"] = torch.Generator(device).manual_seed(seed).get_state()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Have torch draw from these states in the block, and from its own again after it."""
        outside = self._global_states()
        self._set_global_states(self.states)
        try:
            yield
        finally:
            self.states = self._global_states()
            self._set_global_states(outside)

    def _global_states(self) -> dict[str, Tensor]:
        states = {"cpu": torch.get_rng_state()}
        if self._device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(self._device)
        return states

    def _set_global_states(self, states: dict[str, Tensor]) -> None:
        torch.set_rng_state(states["cpu"])
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(states["cuda"], self._device)
