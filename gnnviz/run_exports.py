"""What of a run leaves the app: its history as CSV and its configuration as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import fields

from gnnviz.config import RunConfig
from gnnviz.records import EpochRecord


def history_csv(history: Sequence[EpochRecord]) -> str:
    """Return the epochs as CSV: one line each, one column for each number, norms of layer k as "..._k".

    Numbers are written so that reading them gives the same float64; names are those of `EpochRecord`.

    Args:
        history: the epochs of one run, ascending; may be empty.
    """
    layers = len(history[0].grad_norms) if history else 0
    names = [field.name for field in fields(EpochRecord)]
    norms = {name for name in names if name.endswith("_norms")}
    heads = [[f"{name[:-1]}_{k + 1}" for k in range(layers)] if name in norms else [name] for name in names]
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(head for group in heads for head in group)
    for record in history:
        groups = [getattr(record, name) if name in norms else (getattr(record, name),) for name in names]
        writer.writerow(value for group in groups for value in group)
    return written.getvalue()


def config_json(config: RunConfig) -> str:
    """Return the configuration as JSON, from which `RunConfig.from_json` makes an equal one."""
    return json.dumps(config.to_json(), indent=2) + "\n"
