"""How the app gets a cluster: one of its own in a new process, or one that others run.

Knows processes, addresses and credentials; knows no run.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from distributed import Client
from distributed.security import Security

from gnnviz.engine import tasks
from gnnviz.engine.handshake import Announcement, Offer
from gnnviz.errors import EngineError
from gnnviz.run_status import Owner

_START_SECONDS = 60.0  # one or two are usual; where there is a GPU, torch is imported to count them
_ANSWER_SECONDS = 30.0
_CONNECT_SECONDS = 10.0
_CLOSE_SECONDS = 10.0
_PROJECT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Cluster:
    """A connection to a cluster.

    Attributes:
        client: dask's connection.
        offer: what the cluster can do.
        process: the cluster's process and the folder of its own, if it was started from here.
    """

    client: Client
    offer: Offer
    process: tuple[subprocess.Popen[bytes], Path] | None = None

    def is_alive(self) -> bool:
        """Return whether the cluster is there and the connection stands."""
        has_ended = self.process is not None and self.process[0].poll() is not None
        return not has_ended and self.client.status == "running"

    def resources(self, kind: str) -> dict[str, float] | None:
        """Return what a task of this kind asks a worker for.

        Workers that were started from here divide the kinds among them. Those of a cluster that was
        joined may; where none of them offers a kind, a task of that kind goes to any.
        """
        if self.process is None:
            workers = self.client.scheduler_info()["workers"].values()
            if not any(kind in worker["resources"] for worker in workers):
                return None
        return {kind: 1}

    def close(self) -> None:
        """Close the connection and end the cluster if it was started from here; safe to call twice."""
        with contextlib.suppress(TimeoutError):
            self.client.close(timeout=_CLOSE_SECONDS)
        if self.process is not None:
            _end(*self.process)


def start_cluster(store_root: Path) -> Cluster:
    """Start a cluster in a process of its own, which ends when this process does.

    Args:
        store_root: the folder for the cluster's log, emptied at each start.

    Raises:
        EngineError: it does not start; says why.
    """
    folder = Path(tempfile.mkdtemp(prefix="gnnviz-"))  # readable by its owner only
    credentials = folder / "cluster.json"
    try:
        store_root.mkdir(parents=True, exist_ok=True)
        log = os.open(
            store_root / "engine.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        )
        with open(log, "ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "gnnviz.engine", "--credentials", str(credentials)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is the app's; the engine ends with its input
            )
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise EngineError(
            f"the engine cannot start: {error.strerror}; check that {store_root} can be written"
        ) from error
    try:
        announcement = _wait_for(credentials, process, store_root / "engine.log")
        client = _connect(announcement.address, _security(announcement))
    except EngineError:
        _end(process, folder)
        raise
    return Cluster(client, announcement.offer, (process, folder))


def join_cluster(address: str) -> Cluster:
    """Connect to a cluster that others run; its workers run one task at a time (`--nthreads 1`).

    For a `tls://` address, GNNVIZ_SCHEDULER_TLS_CA, _CERT and _KEY name the files to identify with.

    Args:
        address: of its scheduler, "tcp://host:8786".

    Raises:
        EngineError: it cannot be reached, has no workers, or cannot run gnnviz's tasks.
    """
    files = {part: os.environ.get(f"GNNVIZ_SCHEDULER_TLS_{part}") for part in ("CA", "CERT", "KEY")}
    security = None
    if any(files.values()):
        security = Security(
            require_encryption=True,
            tls_ca_file=files["CA"],
            tls_client_cert=files["CERT"],
            tls_client_key=files["KEY"],
        )
    client = _connect(address, security)
    try:
        return Cluster(client, _offer_of(client, address))
    except EngineError:
        client.close(timeout=_CLOSE_SECONDS)
        raise


def _offer_of(client: Client, address: str) -> Offer:
    workers = list(client.scheduler_info()["workers"].values())
    if not workers:
        raise EngineError(f"the cluster at {address} has no workers; start some, then reload the page")
    if any(worker["nthreads"] > 1 for worker in workers):
        raise EngineError(
            f"a worker of the cluster at {address} runs several tasks at a time, which would mix up their "
            "random numbers; start every worker with --nthreads 1"
        )
    trainers = [worker for worker in workers if "train" in worker["resources"]] or workers
    neighbours = sum(worker["host"] == trainers[0]["host"] for worker in trainers)
    try:
        process = cast(Owner, client.run_on_scheduler(Owner.current))
        machine = client.submit(tasks.machine, pure=False).result(_ANSWER_SECONDS)
    except (ImportError, OSError) as error:  # a missing package, no answer in time, no connection
        raise EngineError(
            f"the cluster at {address} does not answer ({error}); gnnviz and what it requires must be "
            "installed on its scheduler and workers"
        ) from error
    return Offer(process, machine[0], len(trainers), max(1, (machine[1] - 1) // neighbours))


def _environment() -> dict[str, str]:
    """Return the engine's environment: this one's, able to import gnnviz, and quiet unless asked."""
    paths = [str(_PROJECT), os.environ.get("PYTHONPATH", "")]
    quiet = {"DASK_LOGGING__DISTRIBUTED": "warning"}
    return {**quiet, **os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def _wait_for(credentials: Path, process: subprocess.Popen[bytes], log: Path) -> Announcement:
    """Return what the engine announces, and remove the file: the key to the cluster stays nowhere."""
    deadline = time.monotonic() + _START_SECONDS
    while not credentials.exists():
        if process.poll() is not None:
            lines = log.read_text(errors="replace").strip().splitlines() or ["it left no message"]
            raise EngineError(f"the engine ended while it started: {lines[-1]}; see {log}")
        if time.monotonic() > deadline:
            raise EngineError(f"the engine did not start within {_START_SECONDS:g} seconds; see {log}")
        time.sleep(0.01)
    announcement = Announcement.read(credentials)
    credentials.unlink()
    return announcement


def _security(announcement: Announcement) -> Security:
    return Security(
        require_encryption=True,
        tls_ca_file=announcement.certificate,
        tls_client_cert=announcement.certificate,
        tls_client_key=announcement.key,
    )


def _connect(address: str, security: Security | None) -> Client:
    try:
        return Client(address, security=security, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise EngineError(f"the scheduler at {address} cannot be reached: {error}") from error


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    """End the engine by ending its input; kill it, and with it its workers, if that takes too long."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_CLOSE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)
