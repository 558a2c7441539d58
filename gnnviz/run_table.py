"""All runs as rows of a table: their numbers and words, and which of them match a filter.

Knows the store; draws nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gnnviz.config import RunConfig
from gnnviz.datasets import NORMALISATIONS, dataset_record
from gnnviz.errors import RunError
from gnnviz.figures.layout import percent
from gnnviz.findings import in_time
from gnnviz.models import MODELS
from gnnviz.run_names import SHORT_ID, layers_phrase, task_name
from gnnviz.runs import RunStatus, RunStore

Cell = str | int | float | datetime | None

EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run, as the table shows it.

    Attributes:
        run_id: of `config`, kept because it is a hash that takes time.
        config: what it was asked to do.
        status: how far it has come.
        size: what it takes on disk, in bytes.
    """

    run_id: str
    config: RunConfig
    status: RunStatus
    size: int


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table.

    Attributes:
        label: its head.
        help: what it means.
        value: what it is sorted by; None where the run has no such value.
        words: how a value is written; None leaves it as it is.
        width: in px, where what comes may be wider than what is there; None fits what is there.
    """

    label: str
    help: str
    value: Callable[[RunRow], Cell]
    words: Callable[[float], str] | None = None
    width: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """One way to narrow the table down.

    Attributes:
        label: the name on screen.
        value: the key by which a row matches.
        words: how a key is written on screen.
        order: what the keys are sorted by.
    """

    label: str
    value: Callable[[RunRow], str]
    words: Callable[[str], str] = str
    order: Callable[[str], int | str] = str


class RunTable:
    """Reads the rows of a store; a run that has ended is measured once, and again after it went on."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._ended: dict[str, RunRow] = {}

    def rows(self) -> tuple[RunRow, ...]:
        """Return all runs whose folders are whole, the last queued first."""
        return self._read(self._store.run_ids())

    def refreshed(self, rows: Sequence[RunRow]) -> tuple[RunRow, ...]:
        """Return `rows` with those read anew that were queued or running."""
        active = [row.run_id for row in rows if row.status.state.is_active]
        gone_or_anew: dict[str, RunRow | None] = dict.fromkeys(active)
        gone_or_anew.update({row.run_id: row for row in self._read(active)})
        return tuple(now for row in rows if (now := gone_or_anew.get(row.run_id, row)) is not None)

    def _read(self, run_ids: Iterable[str]) -> tuple[RunRow, ...]:
        found = []
        for run_id, status in self._store.statuses(run_ids).items():
            try:
                found.append(self._row(run_id, status))
            except RunError:
                continue  # it was deleted or damaged after it was listed: RunStore.problems says which
        return tuple(found)

    def _row(self, run_id: str, status: RunStatus) -> RunRow:
        known = self._ended.get(run_id)
        if known is not None and known.status == status:
            return known
        config = known.config if known else self._store.config(run_id)
        row = RunRow(run_id, config, status, self._store.size(run_id))
        if not status.state.is_active:
            self._ended[run_id] = row
        return row


def filter_options(rows: Sequence[RunRow], name: str) -> list[str]:
    """Return the keys that a filter can be set to: `EVERYTHING`, then those that occur, in order.

    Args:
        rows: all runs.
        name: a key of `FILTERS`.
    """
    found = {FILTERS[name].value(row) for row in rows}
    return [EVERYTHING, *sorted(found, key=FILTERS[name].order)]


def matching(rows: Sequence[RunRow], wanted: Mapping[str, str]) -> tuple[RunRow, ...]:
    """Return the rows that match every filter.

    Args:
        rows: all runs.
        wanted: the key wanted of each filter, or `EVERYTHING`; by the keys of `FILTERS`.
    """
    limits = {name: key for name, key in wanted.items() if key != EVERYTHING}
    return tuple(row for row in rows if all(FILTERS[name].value(row) == key for name, key in limits.items()))


def total_size(rows: Sequence[RunRow]) -> int:
    """Return what the runs take on disk together, in bytes."""
    return sum(row.size for row in rows)


def in_megabytes(size: float) -> str:
    """Return bytes as megabytes of 10^6 bytes with one digit, "7.8 MB"."""
    return f"{size / 1e6:,.1f}\u202fMB"


def _best(field: str) -> Callable[[RunRow], Cell]:
    return lambda row: getattr(row.status.best, field) if row.status.best else None


def _heads(row: RunRow) -> int | None:
    model = row.config.model
    return model.heads if MODELS[model.model].has_heads else None


FILTERS: dict[str, Filter] = {
    "in_model": Filter("Model", lambda row: row.config.model.model, lambda key: MODELS[key].label),
    "in_depth": Filter(
        "Depth",
        lambda row: str(row.config.model.num_layers),
        lambda key: layers_phrase(int(key)),
        int,
    ),
    "in_graph": Filter("Graph", lambda row: row.config.dataset.name, lambda key: dataset_record(key).label),
    "in_state": Filter("State", lambda row: row.status.word),
}

COLUMNS: dict[str, Column] = {
    "model": Column("Model", "What the layers are.", lambda row: MODELS[row.config.model.model].label),
    "layers": Column("Layers", "The depth.", lambda row: row.config.model.num_layers),
    "graph": Column("Graph", "The graph and its split.", lambda row: task_name(row.config.dataset)),
    "validation": Column(
        "Validation",
        "Share of validation nodes right, at the run's best epoch. This is what chooses.",
        _best("val_acc"),
        percent,
    ),
    "test": Column("Test", "Share of test nodes right, at that same epoch.", _best("test_acc"), percent),
    "state": Column("State", "Where the run stands.", lambda row: row.status.word, width=96),
    "epochs": Column("Epochs", "Epochs that were trained.", lambda row: row.status.epochs_done),
    "time": Column("Time", "Spent on training.", lambda row: row.status.seconds, in_time, 116),
    "size": Column("On disk", "Weights, history and saved state.", lambda row: row.size, in_megabytes),
    "asked": Column(
        "Asked for",
        "When it was last queued.",
        lambda row: datetime.fromtimestamp(row.status.queued_at, UTC),
    ),
    "seed": Column("Seed", "Of weights and dropout.", lambda row: row.config.training.seed),
    "hidden": Column("Channels", "Width of the hidden layers.", lambda row: row.config.model.hidden_channels),
    "heads": Column("Heads", "Attention heads of a hidden layer.", _heads, "{:g}".format),
    "dropout": Column(
        "Dropout", "Share of values hidden.", lambda row: row.config.model.dropout, "{:g}".format
    ),
    "rate": Column(
        "Rate", "Adam's learning rate.", lambda row: row.config.training.learning_rate, "{:g}".format
    ),
    "decay": Column("Decay", "Weight decay.", lambda row: row.config.training.weight_decay, "{:g}".format),
    "features": Column(
        "Features",
        "How the rows of the features are scaled.",
        lambda row: NORMALISATIONS[row.config.dataset.normalisation].label,
    ),
    "best": Column("Best epoch", "Chosen by validation accuracy.", _best("epoch"), "{:g}".format),
    "limit": Column("Epochs asked", "Epochs at most.", lambda row: row.config.training.epochs),
    "device": Column("Device", "Where it was trained.", lambda row: row.config.device),
    "id": Column("Id", "Beginning of the run's id.", lambda row: row.run_id[:SHORT_ID]),
}
