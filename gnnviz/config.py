"""What decides a run's result: dataset, model and training, frozen and hashable as JSON.

Imports no torch. `RunConfig.run_id` is the hash of all of it: the same question has one run.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any, Literal

from gnnviz.datasets import DatasetSpec, dataset_record
from gnnviz.errors import ConfigError
from gnnviz.models import MODELS, ModelConfig

FORMAT_VERSION = 1
MAX_EPOCHS = 10_000
MAX_SEED = 2**31 - 1

Decay = Literal["first", "all"]
DeviceType = Literal["cpu", "cuda"]
JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How a model is trained: full batch, Adam, cross-entropy on the training nodes.

    Attributes:
        epochs: passes over the graph at most, 1 to 10000.
        learning_rate: Adam's step size, above 0.
        weight_decay: L2 penalty's factor, 0 or more (added to the gradient, as in Adam).
        decay_on: "first": only the first layer's parameters, as Kipf & Welling do; "all".
        patience: stop after so many epochs in which neither validation loss nor validation
            accuracy reached a new best; None trains all epochs.
        seed: decides initial weights and dropout, 0 to 2^31 - 1.

    Raises:
        ConfigError: a value that is not allowed.
    """

    epochs: int = 200
    learning_rate: float = 0.01
    weight_decay: float = 5e-4
    decay_on: Decay = "all"
    patience: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        _check_whole("epochs", self.epochs, 1, MAX_EPOCHS)
        _check_whole("seed", self.seed, 0, MAX_SEED)
        _check_real("learning_rate", self.learning_rate, above_zero=True)
        _check_real("weight_decay", self.weight_decay, above_zero=False)
        if self.patience is not None:
            _check_whole("patience", self.patience, 1, MAX_EPOCHS)
        if self.decay_on not in ("first", "all"):
            raise ConfigError(f"decay_on is {self.decay_on!r}; choose from first, all")


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Everything that decides a run's result, resolved before it is queued.

    Attributes:
        dataset: the graph, its split and its features.
        model: the stack of layers.
        training: optimiser, epochs, seed.
        device: the kind of device the numbers are made on.
        threads: torch's threads, 1 or more; sums may differ in the last bit with their number.
        format_version: of the run folder.
    """

    dataset: DatasetSpec
    model: ModelConfig
    training: TrainConfig
    device: DeviceType = "cpu"
    threads: int = 1
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        """Refuse what no worker can run."""
        _check_whole("threads", self.threads, 1, 1024)
        _check_whole("format_version", self.format_version, 1, 2**31)
        if self.device not in ("cpu", "cuda"):
            raise ConfigError(f"device is {self.device!r}; choose from cpu, cuda")

    @property
    def run_id(self) -> str:
        """Return the 16 hexadecimal digits that name this run and its folder."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def title(self) -> str:
        """Return what the run is called on screen: model, depth, graph and seed."""
        depth = self.model.num_layers
        layers = f"{depth} layer" if depth == 1 else f"{depth} layers"
        graph = dataset_record(self.dataset.name).label
        model = MODELS[self.model.model].label
        return f"{model} · {layers} · {graph} ({self.dataset.split}) · seed {self.training.seed}"

    def to_json(self) -> dict[str, JsonValue]:
        """Return nested JSON values, from which `from_json` makes an equal config."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: object) -> RunConfig:
        """Return the config that `to_json` was called on.

        Raises:
            ConfigError: not such an object, fields that are missing or unknown, values out of range.
        """
        fields = _fields_of(cls, values)
        parts = {
            "dataset": DatasetSpec(**_fields_of(DatasetSpec, fields["dataset"])),
            "model": ModelConfig(**_fields_of(ModelConfig, fields["model"])),
            "training": TrainConfig(**_fields_of(TrainConfig, fields["training"])),
        }
        return cls(**{**fields, **parts})


def _fields_of(record: type, values: object) -> dict[str, Any]:
    """Return `values` if it has exactly the fields of the dataclass `record`, which checks their values."""
    if not isinstance(values, dict):
        raise ConfigError(f"{record.__name__} is {type(values).__name__} in the file; expected an object")
    expected = {field.name for field in dataclasses.fields(record)}
    if values.keys() != expected:
        missing, unknown = sorted(expected - values.keys()), sorted(map(str, values.keys() - expected))
        raise ConfigError(f"{record.__name__} lacks the fields {missing} or has unknown ones: {unknown}")
    return values


def _check_whole(name: str, value: int, smallest: int, largest: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not smallest <= value <= largest:
        raise ConfigError(f"{name} is {value!r}; choose a whole number from {smallest} to {largest}")


def _check_real(name: str, value: float, *, above_zero: bool) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or value < 0 or (above_zero and value == 0):
        allowed = "above 0" if above_zero else "of 0 or more"
        raise ConfigError(f"{name} is {value!r}; choose a finite number {allowed}")
