"""What decides a run's result: dataset, model and training, frozen and hashable as JSON.

Imports no torch. `RunConfig.run_id` is the hash of all of it: the same question has one run.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from gnnviz.checks import check_choice, check_count, check_real, make_floats
from gnnviz.datasets import DatasetSpec
from gnnviz.edits import Edit
from gnnviz.errors import ConfigError
from gnnviz.models import MODELS, ModelConfig
from gnnviz.objectives import OBJECTIVES, USUAL_PAIRS, PairConfig
from gnnviz.remedies import Remedies

FORMAT_VERSION = 2
MAX_EPOCHS = 10_000
MAX_SEED = 2**31 - 1
MAX_THREADS = 1024
MAX_BATCH = 1_000_000
USUAL_FAN_OUT = 10

Decay = Literal["first", "all"]
DeviceType = Literal["cpu", "cuda"]
JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How a model is trained: with Adam, by default on the cross-entropy of the training nodes, full batch.

    Attributes:
        epochs: passes over the graph at most, 1 to 10000.
        learning_rate: Adam's step size, above 0.
        weight_decay: L2 penalty's factor, 0 or more (added to the gradient, as in Adam).
        decay_on: "first": only the first layer's parameters, as Kipf & Welling do; "all".
        patience: stop after so many epochs in which neither validation loss nor validation
            accuracy reached a new best; None trains all epochs.
        seed: decides initial weights and dropout, 0 to 2^31 - 1.
        objective: a key of `OBJECTIVES`: what is minimised.
        pairs: of the objectives that pull neighbours together and push far nodes apart.
        batch_size: nodes whose loss is computed in one step, each with sampled neighbours; None takes
            the whole graph in each step.
        fan_outs: neighbours sampled for the last layer, the layer before it, ... of a mini-batch;
            () samples 10 in every layer.

    Raises:
        ConfigError: a value that is not allowed.
    """

    epochs: int = 200
    learning_rate: float = 0.01
    weight_decay: float = 5e-4
    decay_on: Decay = "all"
    patience: int | None = None
    seed: int = 0
    objective: str = "supervised"
    pairs: PairConfig = USUAL_PAIRS
    batch_size: int | None = None
    fan_outs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        check_count("epochs", self.epochs, MAX_EPOCHS)
        check_count("seed", self.seed, MAX_SEED, smallest=0)
        check_real("learning_rate", self.learning_rate, above_zero=True)
        check_real("weight_decay", self.weight_decay)
        make_floats(self, "learning_rate", "weight_decay")
        if self.patience is not None:
            check_count("patience", self.patience, MAX_EPOCHS)
        check_choice("decay_on", self.decay_on, ("first", "all"))
        check_choice("objective", self.objective, tuple(OBJECTIVES))
        object.__setattr__(self, "fan_outs", tuple(self.fan_outs))
        if self.batch_size is not None:
            check_count("batch_size", self.batch_size, MAX_BATCH)
        for fan_out in self.fan_outs:
            check_count("fan_outs", fan_out, MAX_BATCH)
        if self.fan_outs and self.batch_size is None:
            raise ConfigError("fan_outs are given, but no batch_size; they only serve mini-batches")


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
        check_count("threads", self.threads, MAX_THREADS)
        check_count("format_version", self.format_version, MAX_SEED)
        check_choice("device", self.device, ("cpu", "cuda"))
        check_training(self.model, self.training)

    @property
    def run_id(self) -> str:
        """Return the 16 hexadecimal digits that name this run and its folder."""
        return _run_id(self)

    @property
    def title(self) -> str:
        """Return what the run is called on screen: model, depth, graph and seed."""
        depth = self.model.num_layers
        layers = f"{depth} layer" if depth == 1 else f"{depth} layers"
        objective = OBJECTIVES[self.training.objective].label
        how = "" if self.training.objective == "supervised" else f" · {objective.lower()}"
        model = self.model.label
        graph = f"{self.dataset.label} ({self.dataset.split})"
        return f"{model} · {layers} · {graph}{how} · seed {self.training.seed}"

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
        model = _fields_of(ModelConfig, fields["model"])
        training = _fields_of(TrainConfig, fields["training"])
        pairs = PairConfig(**_fields_of(PairConfig, training["pairs"]))
        remedies = Remedies(**_fields_of(Remedies, model["remedies"]))
        parts = {
            "dataset": _dataset_of(fields["dataset"]),
            "model": ModelConfig(**{**model, "remedies": remedies}),
            "training": TrainConfig(**{**training, "pairs": pairs, "fan_outs": training["fan_outs"]}),
        }
        return cls(**{**fields, **parts})


@lru_cache(maxsize=8192)
def _run_id(config: RunConfig) -> str:
    """Return the hash of a config as JSON; a page asks for those of a whole sweep many times."""
    text = json.dumps(config.to_json(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _dataset_of(values: object) -> DatasetSpec:
    """Return the spec whose JSON values these are, its edits included."""
    fields = _fields_of(DatasetSpec, values)
    edits = fields["edits"]
    if not isinstance(edits, list | tuple):
        raise ConfigError(f"edits are {type(edits).__name__} in the file; expected a list")
    return DatasetSpec(**{**fields, "edits": [Edit(**_fields_of(Edit, edit)) for edit in edits]})


def check_training(model: ModelConfig, training: TrainConfig) -> None:
    """Refuse a training that this model cannot have.

    Raises:
        ConfigError: mini-batches of a model that is not GraphSAGE, fan-outs that do not match the depth,
            pairs of a model whose embeddings no head follows, or no labels with a head that is more than
            one linear layer.
    """
    label = MODELS[model.model].label
    if training.batch_size is not None and model.model != "sage":
        raise ConfigError(
            f"batch_size is {training.batch_size}, but {label} is trained on the whole graph; "
            "choose GraphSAGE, or no batch_size"
        )
    if training.fan_outs and len(training.fan_outs) != model.num_layers:
        raise ConfigError(
            f"got {len(training.fan_outs)} fan_outs for {model.num_layers} layers; give one per layer, "
            f"or none for {USUAL_FAN_OUT} each"
        )
    objective = OBJECTIVES[training.objective]
    if objective.uses_pairs and not model.has_head:
        raise ConfigError(
            f"the objective {training.objective!r} trains embeddings, and {label} as configured has no "
            "linear layer after them; set post_layers to 1"
        )
    if not objective.uses_labels and (model.remedies.post_layers > 1 or model.output_elu):
        raise ConfigError(
            f"the objective {training.objective!r} sees no labels, so its head is a logistic regression: one "
            "linear layer; set post_layers to 1 and output_elu to False"
        )


def _fields_of(record: type, values: object) -> dict[str, Any]:
    """Return `values` if it has exactly the fields of the dataclass `record`, which checks their values."""
    if not isinstance(values, dict):
        raise ConfigError(f"{record.__name__} is {type(values).__name__} in the file; expected an object")
    expected = {field.name for field in dataclasses.fields(record)}
    if values.keys() != expected:
        missing, unknown = sorted(expected - values.keys()), sorted(map(str, values.keys() - expected))
        raise ConfigError(f"{record.__name__} lacks the fields {missing} or has unknown ones: {unknown}")
    return values
