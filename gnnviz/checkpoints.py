"""Which weights a run keeps, and weights and training states as safetensors files.

Each file is written whole or not at all. Imports no torch; unlike a pickle, reading one runs no code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as from_safetensors
from safetensors.numpy import save as to_safetensors

from gnnviz.errors import RunError
from gnnviz.records import BestEpoch, TrainState
from gnnviz.run_files import in_words, write_whole

Tensors = Mapping[str, NDArray[np.generic]]

_SPACED = 16


def checkpoint_epochs(epochs: int) -> tuple[int, ...]:
    """Return the epochs at whose end the weights are kept, ascending.

    Epoch 0 (before training), the last, and between 1 and the last at most 16, both ends included,
    in equal ratios: training changes a network most at first.

    Args:
        epochs: of the whole run, 1 or more.
    """
    spaced = np.geomspace(1, epochs, _SPACED).round().astype(int)
    return tuple(sorted({0, *spaced.tolist(), epochs}))


def write_tensors(path: Path, tensors: Tensors, metadata: Mapping[str, str]) -> None:
    """Write arrays by name, with texts beside them, as one whole safetensors file.

    Raises:
        OSError: the disk refused; nothing under `path` has changed.
    """
    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    write_whole(path, to_safetensors(arrays, dict(metadata)))


def read_tensors(path: Path, what: str) -> tuple[dict[str, NDArray[np.generic]], dict[str, str]]:
    """Return the arrays and the texts that `write_tensors` wrote.

    Raises:
        RunError: the file is missing, unreadable, cut short or no safetensors file.
    """
    with in_words(f"read {what}"):
        content = path.read_bytes()
    try:
        tensors = from_safetensors(content)
    except SafetensorError as error:
        raise RunError(f"{what} is damaged or cut short") from error
    header_size = int.from_bytes(content[:8], "little")  # then the header: JSON, found sound just now
    return tensors, json.loads(content[8 : 8 + header_size]).get("__metadata__", {})


def write_state(path: Path, state: TrainState) -> None:
    """Write what a run goes on from.

    Raises:
        OSError: the disk refused; nothing under `path` has changed.
    """
    values = {
        "epoch": state.epoch,
        "best": None if state.best is None else asdict(state.best),
        "best_val_loss": state.best_val_loss,
        "stale_epochs": state.stale_epochs,
    }
    write_tensors(path, state.tensors, {"state": json.dumps(values)})


def read_state(path: Path, what: str) -> TrainState:
    """Return the state that `write_state` wrote.

    Raises:
        RunError: the file is missing, unreadable, cut short or holds no state.
    """
    tensors, texts = read_tensors(path, what)
    try:
        values = json.loads(texts["state"])
        best = values["best"]
        return TrainState(
            epoch=values["epoch"],
            tensors=tensors,
            best=None if best is None else BestEpoch(**best),
            best_val_loss=values["best_val_loss"],
            stale_epochs=values["stale_epochs"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{what} is damaged: it holds no state to go on from") from error
