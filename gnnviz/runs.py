"""The run store: one folder a run, that any number of processes read and one at a time owns.

A folder `RUN_ID/` holds `config.json` (never changed), `status.json`, `history.jsonl`,
`checkpoints/EPOCH.safetensors`, `state.safetensors` (what to continue from), `lock` (who owns it) and,
when somebody asked for it, `cancel`. A process can be killed at any point: a folder is whole, or is
ignored and `RunStore.problems` says why. Trains nothing and imports no torch.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from time import time

import numpy as np
from numpy.typing import NDArray

from gnnviz import run_files
from gnnviz.checkpoints import checkpoint_epochs, read_state, read_tensors, write_state, write_tensors
from gnnviz.config import RunConfig
from gnnviz.errors import RunError
from gnnviz.records import EpochRecord, TrainState
from gnnviz.run_files import in_words
from gnnviz.run_reading import RunReader, check_name, owner_in, stop_word
from gnnviz.run_status import PAUSED, Owner, RunState, RunStatus

__all__ = ["Owner", "RunState", "RunStatus", "RunStore", "checkpoint_epochs"]

_DELETED = ".deleted-"


class RunStore:
    """All runs of a folder, for every process that opens it.

    Every method raises `RunError` with a sentence when a run is unknown, a file is damaged or the
    disk refuses; a damaged run never keeps the others from being read.

    Args:
        root: the folder of runs; made when the first run is claimed.
    """

    def __init__(self, root: Path) -> None:
        self._root = Path(root)
        self._reader = RunReader()

    def claim(self, config: RunConfig, owner: Owner) -> bool:
        """Make `owner` the run's only owner and set the run to queued, if that is possible.

        Of many processes that claim at once, one succeeds. The folder is made when it is missing, and
        made anew when it is not whole. What an earlier attempt finished stays; a request to cancel and
        what a killed writer left are removed.

        Returns:
            False if the run is done, or a living owner has it queued or running.

        Raises:
            RunError: the disk refused.
        """
        folder = self._root / config.run_id
        with in_words(f"claim run {config.run_id}"):
            while True:
                folder.mkdir(parents=True, exist_ok=True)
                try:
                    with run_files.locked(folder / "lock"):
                        return self._claim_locked(config, owner, folder / "lock")
                except FileNotFoundError:
                    if folder.exists():
                        raise  # else somebody deleted the run before it could be locked

    def _claim_locked(self, config: RunConfig, owner: Owner, lock: Path) -> bool:
        run_id, folder = config.run_id, lock.parent
        try:
            previous = self._read_whole(folder)[1]
        except RunError as error:
            if isinstance(error.__cause__, OSError) and not isinstance(error.__cause__, FileNotFoundError):
                raise  # the disk refused to show it; the run may be whole
            previous = None
        if self._holder(run_id) or (previous and previous.state is RunState.DONE):
            return False
        if previous is None:
            run_files.empty_folder(folder, but=lock.name)
            config_json = json.dumps(config.to_json(), indent=1)
            run_files.write_whole(folder / "config.json", config_json.encode())
            previous = RunStatus(RunState.QUEUED)
        run_files.remove_temporaries(folder)
        (folder / "cancel").unlink(missing_ok=True)
        queued = replace(previous, state=RunState.QUEUED, message="", queued_at=time(), attempts=0)
        self.write_status(run_id, replace(queued, started_at=None, finished_at=None))
        # The owner comes last: until then the run reads as interrupted, and can be claimed again.
        lock.write_text(owner.to_json())
        return True

    def release(self, run_id: str, owner: Owner) -> None:
        """Give the run up, if `owner` has it; an active one then reads as interrupted."""
        lock = self._folder(run_id) / "lock"
        with in_words(f"release run {run_id}"), run_files.locked(lock):
            if owner_in(lock) == owner:
                lock.write_text("")

    def owner(self, run_id: str) -> Owner | None:
        """Return who claimed the run and did not release it, alive or not."""
        lock = self._folder(run_id) / "lock"
        with in_words(f"read who owns run {run_id}"), run_files.locked(lock, shared=True):
            return owner_in(lock)

    def config(self, run_id: str) -> RunConfig:
        """Return what the run was asked to do; read again only if its file was touched."""
        return self._reader.config(self._folder(run_id))

    def status(self, run_id: str) -> RunStatus:
        """Return how far the run has come.

        An active run whose owner is gone reads as interrupted, and a queued one that somebody asked to
        cancel as cancelled; one that was asked to pause is cancelled, and its message says that it is paused.
        """
        return self._status(self._folder(run_id), Owner.is_alive)

    def statuses(self, run_ids: Iterable[str]) -> dict[str, RunStatus]:
        """Return how far each run has come, by its id, without those that are gone or damaged.

        Quicker than asking for one after the other: an owner of many is looked up once.
        """
        is_alive = cache(Owner.is_alive)
        found: dict[str, RunStatus] = {}
        for run_id in run_ids:
            with suppress(RunError):  # `problems` says why
                found[run_id] = self._status(self._folder(run_id), is_alive)
        return found

    def _status(self, folder: Path, is_alive: Callable[[Owner], bool]) -> RunStatus:
        stored, lock, cancel = self._reader.status(folder), folder / "lock", folder / "cancel"
        if not stored.state.is_active:  # it is written last, so no lock is needed
            if stored.word == PAUSED and stop_word(cancel) != PAUSED:
                return replace(stored, message=stored.message.replace(PAUSED, stop_word(cancel), 1))
            return stored
        with in_words(f"read the status of run {folder.name}"), run_files.locked(lock, shared=True):
            stored = self._reader.status(folder)
            if stored.state is RunState.QUEUED and cancel.exists():
                message = f"{stop_word(cancel)} before it began"
                return replace(stored, state=RunState.CANCELLED, message=message)
            owner = owner_in(lock)
            if stored.state.is_active and (owner is None or not is_alive(owner)):
                message = (
                    f"the process that trained it is gone; resume it to go on from epoch {stored.epochs_done}"
                )
                return replace(stored, state=RunState.INTERRUPTED, message=message)
            return stored

    def write_status(self, run_id: str, status: RunStatus) -> None:
        """Write how far the run has come; only its owner does.

        A state that ends the run is the last thing an owner writes: from then on it can be claimed.
        """
        with in_words(f"write the status of run {run_id}"):
            run_files.write_whole(self._folder(run_id) / "status.json", status.to_json().encode())

    def append(self, run_id: str, record: EpochRecord) -> None:
        """Add an epoch to the history; readers see it at once."""
        with in_words(f"write the history of run {run_id}"):
            run_files.append_line(self._folder(run_id) / "history.jsonl", record.to_json())

    def history(self, run_id: str) -> tuple[EpochRecord, ...]:
        """Return the finished epochs, ascending."""
        with in_words(f"read the history of run {run_id}"):
            lines = run_files.finished_lines(self._folder(run_id) / "history.jsonl")
        records: list[EpochRecord] = []
        for line in lines:
            try:
                records.append(EpochRecord.from_json(line.decode()))
            except (TypeError, ValueError) as error:
                raise RunError(
                    f"the history of run {run_id} is damaged in line {len(records) + 1}; "
                    "delete the run and train it again"
                ) from error
        return tuple(records)

    def history_size(self, run_id: str) -> int:
        """Return the size of the history in bytes, 0 if there is none; it grows with every epoch."""
        return run_files.size_of(self._folder(run_id) / "history.jsonl")

    def truncate_history(self, run_id: str, epoch: int) -> None:
        """Cut what the history holds after `epoch`, for a run that goes on from there."""
        kept = sum(record.epoch <= epoch for record in self.history(run_id))
        with in_words(f"write the history of run {run_id}"):
            run_files.cut_to_lines(self._folder(run_id) / "history.jsonl", kept)

    def save_checkpoint(self, run_id: str, epoch: int, tensors: Mapping[str, NDArray[np.generic]]) -> None:
        """Keep the weights that the model had after `epoch`, as arrays by name."""
        folder = self._folder(run_id) / "checkpoints"
        with in_words(f"write the checkpoint of epoch {epoch}"):
            folder.mkdir(exist_ok=True)
            write_tensors(folder / f"{epoch}.safetensors", tensors, {})

    def checkpoints(self, run_id: str) -> tuple[int, ...]:
        """Return the epochs whose weights are kept, ascending."""
        paths = (self._folder(run_id) / "checkpoints").glob("*.safetensors")
        return tuple(sorted(int(path.stem) for path in paths if path.stem.isdecimal()))

    def load_checkpoint(self, run_id: str, epoch: int) -> dict[str, NDArray[np.generic]]:
        """Return the weights after `epoch`, as arrays by name."""
        kept = self.checkpoints(run_id)
        if epoch not in kept:
            choice = f"choose from {', '.join(map(str, kept))}" if kept else "it has none yet"
            raise RunError(f"run {run_id} has no checkpoint of epoch {epoch}; {choice}")
        path = self._folder(run_id) / "checkpoints" / f"{epoch}.safetensors"
        return read_tensors(path, f"the checkpoint of epoch {epoch} of run {run_id}")[0]

    def save_state(self, run_id: str, state: TrainState) -> None:
        """Keep what the run needs to go on, in place of an earlier state."""
        path = self._folder(run_id) / "state.safetensors"
        with in_words(f"write the state of run {run_id}"):
            write_state(path, state)

    def load_state(self, run_id: str) -> TrainState | None:
        """Return what the run goes on from, or None if it has to begin with the first epoch."""
        path = self._folder(run_id) / "state.safetensors"
        return read_state(path, f"the state of run {run_id}") if path.exists() else None

    def request_cancel(self, run_id: str, *, pause: bool = False) -> None:
        """Ask the owner to stop training the run, until the next claim; or only to `pause` it."""
        with in_words(f"cancel run {run_id}"):
            (self._folder(run_id) / "cancel").write_text(PAUSED if pause else "")

    def is_paused(self, run_id: str) -> bool:
        """Return whether the run was stopped to go on later, and has not been claimed since."""
        return self.status(run_id).word == PAUSED

    def cancel_requested(self, run_id: str) -> bool:
        """Return whether somebody asked for the run to be stopped."""
        return (self._folder(run_id) / "cancel").exists()

    def stop_word(self, run_id: str) -> str:
        """Return what a run is that was asked to stop: "cancelled", or "paused"."""
        return stop_word(self._folder(run_id) / "cancel")

    def run_ids(self) -> tuple[str, ...]:
        """Return the runs whose folders are whole, the last queued first."""
        return tuple(self.configs())

    def configs(self) -> dict[str, RunConfig]:
        """Return what each run was asked to do whose folder is whole, by its id; the last queued first."""
        return self._scan()[0]

    def look(self) -> dict[RunConfig, RunStatus]:
        """Return all runs whose folders are whole and how far each has come; the last queued first."""
        configs = self.configs()
        return {configs[run_id]: status for run_id, status in self.statuses(configs).items()}

    def problems(self) -> dict[str, str]:
        """Return the folders that are ignored, each with the reason as a sentence."""
        return self._scan()[1]

    def _scan(self) -> tuple[dict[str, RunConfig], dict[str, str]]:
        found: dict[str, tuple[RunConfig, RunStatus]] = {}
        problems: dict[str, str] = {}
        with in_words("list the runs"):
            folders = [entry.name for entry in run_files.entries(self._root) if entry.is_dir()]
        for folder in (self._root / name for name in folders if not name.startswith(".")):
            try:
                found[folder.name] = self._read_whole(folder)
            except RunError as error:
                if folder.exists():  # else it was deleted while this was looking
                    problems[folder.name] = str(error)
        newest_first = sorted(found, key=lambda run_id: (-found[run_id][1].queued_at, run_id))
        return {run_id: found[run_id][0] for run_id in newest_first}, problems

    def delete(self, run_id: str) -> None:
        """Remove the run and all it left, unless a living owner has it queued or running."""
        folder = self._folder(run_id)
        with in_words(f"delete run {run_id}"):
            with run_files.locked(folder / "lock"):
                if holder := self._holder(run_id):
                    raise RunError(
                        f"run {run_id} is in the hands of process {holder.pid} on {holder.host}; "
                        "cancel it, then delete it"
                    )
                folder.rename(self._root / f"{_DELETED}{run_id}-{secrets.token_hex(4)}")
            for leftover in self._root.glob(f"{_DELETED}*"):
                run_files.remove_tree(leftover)

    def size(self, run_id: str) -> int:
        """Return what the run takes on disk, in bytes."""
        with in_words(f"measure run {run_id}"):
            return run_files.size_of(self._folder(run_id))

    def _holder(self, run_id: str) -> Owner | None:
        """Return the living owner of a run that is active, or whose status cannot be told."""
        owner = owner_in(self._folder(run_id) / "lock")
        if owner is None or not owner.is_alive():
            return None
        with suppress(RunError):
            return owner if self._reader.status(self._folder(run_id)).state.is_active else None
        return owner

    def _read_whole(self, folder: Path) -> tuple[RunConfig, RunStatus]:
        check_name(folder.name)
        return self._reader.config(folder), self._reader.status(folder)

    def _folder(self, run_id: str) -> Path:
        check_name(run_id)
        folder = self._root / run_id
        with in_words(f"look for run {run_id}"):
            if not folder.is_dir():
                raise RunError(f"unknown run {run_id}; it may have been deleted")
        return folder
