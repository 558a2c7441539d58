"""What the small files of a run folder say, as records; a file is read again only when it was touched.

Reads and never writes. Every complaint is a `RunError` with a sentence that names the run and no path.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from gnnviz import run_files
from gnnviz.config import FORMAT_VERSION, RunConfig
from gnnviz.errors import GnnvizError, RunError
from gnnviz.run_status import PAUSED, Owner, RunStatus

_RUN_ID = re.compile(r"[0-9a-f]{16}")
Record = TypeVar("Record")


class RunReader:
    """Reads configs and statuses from run folders, and keeps what it has read."""

    def __init__(self) -> None:
        self._configs: _Kept[RunConfig] = _Kept()
        self._statuses: _Kept[RunStatus] = _Kept()

    def config(self, folder: Path) -> RunConfig:
        """Return what a run was asked to do."""
        path = folder / "config.json"
        return self._configs.get(path, lambda: _config_in(path))

    def status(self, folder: Path) -> RunStatus:
        """Return the status as its owner wrote it last."""
        path = folder / "status.json"
        return self._statuses.get(path, lambda: _status_in(path))


class _Kept(Generic[Record]):
    """One record for each file; a file that is replaced, even by another process, is read anew."""

    def __init__(self) -> None:
        self._kept: dict[Path, tuple[tuple[int, ...] | None, Record]] = {}

    def get(self, path: Path, read: Callable[[], Record]) -> Record:
        """Return what `read` made of the file when it was last touched; what it raises is raised."""
        stamp = run_files.stamp_of(path)
        kept = self._kept.get(path)
        if stamp is None or kept is None or kept[0] != stamp:
            kept = stamp, read()  # a file that is replaced meanwhile has another stamp at the next look
            self._kept[path] = kept
        return kept[1]


def check_name(run_id: str) -> None:
    """Refuse what cannot be a run's name.

    Raises:
        RunError: says so.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise RunError(f"{run_id[:40]!r} is no run: the name of a run is 16 hexadecimal digits")


def owner_in(lock: Path) -> Owner | None:
    """Return the owner that a lock file names, or None."""
    return Owner.from_json(lock.read_bytes()) if lock.exists() else None


def stop_word(request: Path) -> str:
    """Return what a run with this file `cancel` is once it has stopped: "paused" if it is to go on later."""
    return PAUSED if request.exists() and request.read_text() == PAUSED else "cancelled"


def _config_in(path: Path) -> RunConfig:
    run_id = path.parent.name
    values = run_files.read_json(path, f"the config of run {run_id}")
    version = values.get("format_version") if isinstance(values, dict) else None
    if version != FORMAT_VERSION:
        raise RunError(
            f"run {run_id} has format version {version}, but this gnnviz reads {FORMAT_VERSION}; "
            "open it with the gnnviz that made it, or delete it and train again"
        )
    try:
        config = RunConfig.from_json(values)
    except (GnnvizError, TypeError, ValueError) as error:
        raise RunError(f"the config of run {run_id} cannot be used: {error}") from error
    if config.run_id != run_id:
        raise RunError(f"the folder of run {run_id} holds the config of {config.run_id}; delete the folder")
    return config


def _status_in(path: Path) -> RunStatus:
    what = f"the status of run {path.parent.name}"
    try:
        return RunStatus.from_json(run_files.read_json(path, what))
    except (TypeError, ValueError) as error:
        raise RunError(f"{what} is damaged: {error}") from error
