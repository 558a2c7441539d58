"""Every model of the registry, with every remedy it takes and with its own options; a small graph."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from gnnviz.models import MODELS, ModelConfig, build_model
from gnnviz.remedies import REMEDIES, combined
from gnnviz.stack import Stack

NODES, FEATURES, CLASSES, HIDDEN = 25, 11, 4, 8

COMBINATIONS = [
    ("residual", "pair_norm", "drop_edge", "he_init"),
    ("initial_residual", "jumping_concat", "layer_norm", "pre_mlp", "post_mlp"),
    ("residual", "jumping_max", "batch_norm", "pre_mlp", "glorot_init"),
    ("drop_edge", "he_init"),
]
OPTIONS: dict[str, list[dict[str, object]]] = {
    "gcn": [{"normalisation": "row"}, {"normalisation": "sum"}],
    "sage": [
        {"aggregator": "gcn"},
        {"aggregator": "max"},
        {"aggregator": "pool"},
        {"aggregator": "lstm"},
        {"unit_length": True},
    ],
    "gat": [{"attention_form": "dense"}, {"output_elu": True}, {"negative_slope": 0.0}],
    "gatv2": [{"output_elu": True}],
    "appnp": [{"alpha": 0.5}],
    "gcnii": [{"theta": 1.5}],
}


@dataclasses.dataclass(frozen=True)
class Case:
    """A model, the remedies that are switched on, and options of its own."""

    model: str
    remedies: tuple[str, ...] = ()
    options: tuple[tuple[str, object], ...] = ()

    @property
    def least_layers(self) -> int:
        return 2 if any(name.startswith("jumping") for name in self.remedies) else 1

    def config(self, num_layers: int = 3, **changes: object) -> ModelConfig:
        values: dict[str, object] = {"hidden_channels": HIDDEN}
        if "hidden_channels" not in MODELS[self.model].takes:
            values = {}
        if MODELS[self.model].has_heads:
            values |= {"heads": 2, "output_heads": 3, "activation": "elu"}
        values |= {"remedies": combined(self.remedies), **dict(self.options), **changes}
        return ModelConfig(self.model, num_layers, **values)

    def __str__(self) -> str:
        return "-".join([self.model, *self.remedies, *(f"{name}={value}" for name, value in self.options)])


def _takes(model: str, names: tuple[str, ...]) -> bool:
    return set(combined(names).changed()) <= set(MODELS[model].remedies)


PLAIN = [Case(model) for model in MODELS]
WITH_OPTIONS = [
    Case(model, (), tuple(options.items())) for model, several in OPTIONS.items() for options in several
]
WITH_REMEDIES = [
    Case(model, names)
    for model in MODELS
    for names in [*((name,) for name in REMEDIES), *COMBINATIONS]
    if _takes(model, names)
]
CASES = [*PLAIN, *WITH_OPTIONS, *WITH_REMEDIES]


def with_cases(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [pytest.param(case, id=str(case)) for case in cases])


def stack_of(config: ModelConfig, seed: int = 0) -> Stack:
    torch.manual_seed(seed)
    return build_model(config, FEATURES, CLASSES)


def features(seed: int = 1) -> Tensor:
    return (torch.rand(NODES, FEATURES, generator=torch.Generator().manual_seed(seed)) < 0.4).float()


def edges(seed: int = 2) -> Tensor:
    """Return one-way edges, some twice, some loops; the last two nodes have none."""
    return torch.randint(NODES - 2, (2, 60), generator=torch.Generator().manual_seed(seed))
