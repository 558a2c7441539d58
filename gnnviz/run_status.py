"""Where a run stands (`RunState`, `RunStatus`) and which process answers for it (`Owner`).

Plain records with their JSON; knows no file.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum

import psutil

from gnnviz.records import BestEpoch

# A start time is the boot time plus ticks, and the boot time can be read a second apart when the clock
# is being set. No system hands a process id out again within two seconds.
START_TOLERANCE = 2.0
PAUSED = "paused"  # how the message of a run begins that is held to go on later


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_active(self) -> bool:
        """Whether somebody trains the run, or is going to."""
        return self in (RunState.QUEUED, RunState.RUNNING)


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that answers for a run: the engine that queued it.

    Attributes:
        host: the machine's name.
        pid: the process id there.
        started: when the process started, seconds since 1970; tells it from a later one of that id.
    """

    host: str
    pid: int
    started: float

    @classmethod
    def current(cls) -> Owner:
        """Return this process."""
        return cls(socket.gethostname(), os.getpid(), psutil.Process().create_time())

    def to_json(self) -> str:
        """Return the owner as JSON, to be written into a lock file."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, content: bytes) -> Owner | None:
        """Return the owner that `to_json` wrote, or None for anything else.

        What is no owner was cut off while it was written, so its writer is dead and owns nothing.
        """
        try:
            values = json.loads(content)
            return cls(str(values["host"]), int(values["pid"]), float(values["started"]))
        except (ValueError, TypeError, KeyError):
            return None

    def is_alive(self) -> bool:
        """Return whether the process is still there.

        A process on another machine cannot be looked up and counts as alive: better a run that waits
        than one that is trained twice. Where that machine is gone for good, deleting the file `lock`
        in the run's folder frees the run.
        """
        if self.host != socket.gethostname():
            return True
        try:
            process = psutil.Process(self.pid)
            is_same = abs(process.create_time() - self.started) <= START_TOLERANCE
            return is_same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How far a run has come; times are seconds since 1970, or None before they come.

    Attributes:
        state: where it stands.
        message: one sentence for the user, or "".
        epochs_done: finished epochs.
        best: the best epoch so far, or None before the first.
        queued_at: when it was last queued.
        started_at: when a worker last began with it.
        finished_at: when it ended, in whatever state.
        seconds: time spent training, over all attempts.
        attempts: how often a worker began with it since it was last queued.
        versions: of gnnviz and of what it computes with, by name; {} before a worker began.
    """

    state: RunState
    message: str = ""
    epochs_done: int = 0
    best: BestEpoch | None = None
    queued_at: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    seconds: float = 0.0
    attempts: int = 0
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """The state in one word, as the user reads it: "paused" for what is held to go on later."""
        return PAUSED if self.message.startswith(f"{PAUSED} ") else self.state.value

    def to_json(self) -> str:
        """Return the status as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, values: object) -> RunStatus:
        """Return the status that `to_json` wrote.

        Raises:
            ValueError: the values are not those of a status.
        """
        if not isinstance(values, dict) or values.keys() != {field.name for field in fields(cls)}:
            raise ValueError("not the fields of a status")
        best = values["best"]
        if best is not None and (not isinstance(best, dict) or best.keys() != _BEST_FIELDS):
            raise ValueError("not the fields of a best epoch")
        return cls(
            **{
                **values,
                "state": RunState(values["state"]),
                "best": None if best is None else BestEpoch(**best),
            }
        )


_BEST_FIELDS = {field.name for field in fields(BestEpoch)}
