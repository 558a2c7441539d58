"""What training leaves behind: one `EpochRecord` an epoch, and the `TrainState` to continue from.

Plain records without torch, so that the app reads them and the store writes them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """The measurements of one epoch, made after its optimiser step and without dropout.

    Attributes:
        epoch: 1, 2, ...
        objective: the loss that was minimised, with dropout on, before the step; of mini-batches the mean.
        train_loss: mean cross-entropy in nats on the training nodes; likewise for val and test.
        train_acc: share of training nodes classified right, in 0..1; likewise for val and test.
        grad_norms: Euclidean norm of the objective's gradient in the parameters of each layer, a head
            included [num_states]; of mini-batches in the last one. 0 for a layer that is not trained.
        weight_norms: Euclidean norm of each layer's parameters after the step [num_states].
        seconds: wall-clock time of the steps and their evaluation.
    """

    epoch: int
    objective: float
    train_loss: float
    val_loss: float
    test_loss: float
    train_acc: float
    val_acc: float
    test_acc: float
    grad_norms: tuple[float, ...]
    weight_norms: tuple[float, ...]
    seconds: float

    def to_json(self) -> str:
        """Return one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> EpochRecord:
        """Return the record of one line of JSON.

        Raises:
            ValueError: the line is not JSON, or not the fields of a record.
        """
        values = json.loads(line)
        if not isinstance(values, dict) or values.keys() != {field.name for field in fields(cls)}:
            raise ValueError(f"not an epoch record: {line[:80]!r}")
        values["grad_norms"] = tuple(values["grad_norms"])
        values["weight_norms"] = tuple(values["weight_norms"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class BestEpoch:
    """The epoch chosen on the validation nodes: highest accuracy, then lowest loss, then first."""

    epoch: int
    val_acc: float
    val_loss: float
    test_acc: float

    def is_beaten_by(self, record: EpochRecord) -> bool:
        """Return whether `record` is the better choice."""
        return (record.val_acc, -record.val_loss) > (self.val_acc, -self.val_loss)


@dataclass(frozen=True, slots=True)
class TrainState:
    """All that a run needs to go on as if it had never stopped.

    Attributes:
        epoch: the last finished epoch.
        tensors: weights ("model.*"), the best epoch's weights ("best.*"), optimiser moments
            ("optimiser.*") and random states ("random.*"), as arrays by name.
        best: the best epoch so far, or None before the first.
        best_val_loss: lowest validation loss so far (infinite before the first epoch).
        stale_epochs: epochs since validation loss or accuracy reached a new best.
    """

    epoch: int
    tensors: dict[str, NDArray[np.generic]]
    best: BestEpoch | None
    best_val_loss: float
    stale_epochs: int
