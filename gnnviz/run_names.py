"""What runs are called: on a curve, in an address, as a file; and which runs an address names."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from gnnviz.config import RunConfig
from gnnviz.datasets import NORMALISATIONS, SPLITS, DatasetSpec
from gnnviz.figures.compare import LABEL_SEPARATOR
from gnnviz.figures.layout import listed
from gnnviz.objectives import OBJECTIVES

SHORT_ID = 8  # digits of a run's id in addresses and file names; more where they do not tell runs apart
ID_SEPARATOR = "."  # a comma would be written as %2C
_MOST_NAMED = 4  # unknown runs that a sentence lists
_PREFIX = re.compile(r"[0-9a-f]{4,16}")


def task_name(spec: DatasetSpec) -> str:
    """Return the graph and its split, "Cora (kipf)": accuracies compare where this is the same."""
    seed = f", seed {spec.split_seed}" if SPLITS[spec.split].seeded else ""
    files = f", files {spec.fingerprint[:4]}" if spec.fingerprint else ""
    return f"{spec.label} ({spec.split}{seed}{files})"


def layers_phrase(depth: int) -> str:
    """Return "1 layer" or "16 layers"."""
    return f"{depth} layer{'' if depth == 1 else 's'}"


def curve_labels(configs: Sequence[RunConfig]) -> tuple[str, ...]:
    """Return what tells each run from the others: model and depth, and settings only where these are equal.

    Args:
        configs: runs of any kind, none twice.
    """
    names = [
        f"{config.model.label}{LABEL_SEPARATOR}{layers_phrase(config.model.num_layers)}" for config in configs
    ]
    labels = []
    for name, config in zip(names, configs, strict=True):
        own = _settings(config)
        alike = [_settings(other) for twin, other in zip(names, configs, strict=True) if twin == name]
        told = [text for key, text in own.items() if any(other[key] != text for other in alike)]
        labels.append(LABEL_SEPARATOR.join([name, *told]))
    return tuple(labels)


def _settings(config: RunConfig) -> dict[str, str]:
    """Return all settings beside model and depth, as short words by name."""
    model, training = config.model, config.training
    return {
        "task": task_name(config.dataset),
        "seed": f"seed {training.seed}",
        "features": f"features {NORMALISATIONS[config.dataset.normalisation].label}",
        "hidden": f"{model.hidden_channels} channels",
        "heads": f"{model.heads}+{model.output_heads} heads",
        "dropout": f"dropout {model.dropout:g} on {model.dropout_on}",
        "attention_dropout": f"attention dropout {model.attention_dropout:g}",
        "activation": model.activation.upper(),
        "bias": "bias" if model.bias else "no bias",
        "unit_length": "rows of length 1" if model.unit_length else "rows of any length",
        "slope": f"slope {model.negative_slope:g}",
        "output_elu": "ELU on the logits" if model.output_elu else "plain logits",
        "alpha": f"alpha {model.alpha:g}",
        "theta": f"theta {model.theta:g}",
        "remedies": " ".join(f"{key} {value}" for key, value in model.remedies.changed().items()),
        "objective": OBJECTIVES[training.objective].label.lower(),
        "pairs": f"pairs {', '.join(map(str, dataclasses.astuple(training.pairs)))}",
        "batch": f"batches of {training.batch_size}" if training.batch_size else "whole graph",
        "fan_outs": f"fan-outs {', '.join(map(str, training.fan_outs)) or 'as usual'}",
        "rate": f"rate {training.learning_rate:g}",
        "decay": f"decay {training.weight_decay:g} on {training.decay_on}",
        "epochs": f"{training.epochs} epochs",
        "patience": f"patience {training.patience}" if training.patience else "no patience",
        "device": config.device,
        "threads": f"{config.threads} threads",
    }


def short_id(run_id: str, run_ids: Sequence[str]) -> str:
    """Return the shortest beginning of a run's id, 8 digits or more, that no other of `run_ids` has."""
    digits = SHORT_ID
    while digits < len(run_id) and sum(other.startswith(run_id[:digits]) for other in run_ids) > 1:
        digits += 1
    return run_id[:digits]


def named_runs(text: str, run_ids: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the runs that an address names.

    Args:
        text: beginnings of ids, 4 digits or more, with dots between them.
        run_ids: all runs.

    Returns:
        The runs, none twice; and the sentences that say which names cannot be used.
    """
    found: dict[str, None] = {}
    unknown, sentences = [], []
    for name in text.split(ID_SEPARATOR):
        fits = [run_id for run_id in run_ids if _PREFIX.fullmatch(name) and run_id.startswith(name)]
        if len(fits) == 1:
            found[fits[0]] = None
        elif fits:
            sentences.append(f"{len(fits)} runs begin with {name!r}; give more digits of the id.")
        else:
            unknown.append(repr(name[:16]))
    if unknown:
        more = [f"{len(unknown) - _MOST_NAMED} more"] if len(unknown) > _MOST_NAMED else []
        names = listed([*unknown[:_MOST_NAMED], *more])
        sentences.append(
            f"There is no run {names} here; it may have been deleted."
            if len(unknown) == 1
            else f"There are no runs {names} here; they may have been deleted."
        )
    return tuple(found), tuple(sentences)


def file_stem(config: RunConfig) -> str:
    """Return a file's name, without its end, that tells the run: "gcn-2-layers-cora-kipf-seed-0-daa973bd"."""
    model, data = config.model, config.dataset
    words = (model.model, layers_phrase(model.num_layers), data.name, data.split, "seed")
    text = " ".join([*words, str(config.training.seed), config.run_id[:SHORT_ID]])
    return re.sub(r"[^a-z0-9]+", "-", text.lower())
