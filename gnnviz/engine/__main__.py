"""The cluster's process: a dask scheduler and its workers, which live as long as the app.

The app keeps the write end of this process's standard input and writes nothing. However the app
ends, the system closes that end, and at end-of-file everything here ends as well.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import logging
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import psutil
from dask import config as dask_config
from dask.system import CPU_COUNT
from distributed import Nanny, Scheduler
from distributed.security import Security

from gnnviz.config import DeviceType
from gnnviz.engine.handshake import Announcement, Offer
from gnnviz.errors import EngineError
from gnnviz.run_status import Owner

KILLS_SURVIVED = 2  # by one task; the next killed worker fails it
LOCALHOST = "127.0.0.1"

_DASK_CONFIG = {
    # A scheduler and every worker serve HTTP, dashboard or not: serve nothing there.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # The statistical profiler takes the interpreter's lock a hundred times a second.
    "distributed.worker.profile.enabled": False,
    # A laptop that wakes up must not find its workers declared dead: their nannies see real deaths.
    "distributed.scheduler.worker-ttl": None,
    # Set before a worker's process starts. Threads that spin while they wait made training up to
    # ten times slower on a busy machine; torch is told its number of threads by each run.
    # Memory of a few hundred KiB, a hidden state, is kept for the next one: dask's own setting gives it back
    # to the system each time, and a training step of 32 layers then takes twice as long.
    "distributed.nanny.pre-spawn-environ": {
        "MALLOC_TRIM_THRESHOLD_": 128 * 2**20,
        "MALLOC_MMAP_THRESHOLD_": 32 * 2**20,
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": 1,
        "MKL_NUM_THREADS": 1,
        "OPENBLAS_NUM_THREADS": 1,
    },
}


def main() -> None:
    """Run the cluster until its standard input ends or a signal asks it to stop."""
    parser = argparse.ArgumentParser(prog="python -m gnnviz.engine", description=__doc__)
    parser.add_argument(
        "--credentials",
        type=Path,
        required=True,
        help="where to write how to reach the cluster; its folder is ours alone and removed at the end",
    )
    credentials = parser.parse_args().credentials
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s: %(message)s", level=logging.WARNING)
    dask_config.set(_DASK_CONFIG)
    try:
        asyncio.run(_serve(credentials))
    except EngineError as error:
        logging.getLogger("gnnviz.engine").error("%s", error)
        _end(credentials.parent, 1)


async def _serve(credentials: Path) -> None:
    stop = await _stop_event()
    gpus = await _count_gpus()
    train_workers = _count_train_workers(gpus)
    security = Security.temporary()
    scheduler = await Scheduler(
        host=LOCALHOST,
        port=0,
        protocol="tls://",
        security=security,
        dashboard=False,
        dashboard_address=f"{LOCALHOST}:0",
        allowed_failures=KILLS_SURVIVED,
    )
    devices: tuple[DeviceType, ...] = ("cuda", "cpu") if gpus else ("cpu",)
    offer = Offer(Owner.current(), devices, train_workers, max(1, (CPU_COUNT - 1) // train_workers))
    certificate, key = str(security.tls_client_cert), str(security.tls_client_key)
    Announcement(scheduler.address, certificate, key, offer).write(credentials)
    nannies = [
        Nanny(
            scheduler.address,
            name=name,
            resources={kind: 1},
            env={"CUDA_VISIBLE_DEVICES": gpu},
            nthreads=1,
            memory_limit="0",  # dask's limit is a share of the memory that a large graph may well exceed
            local_directory=str(credentials.parent),
            preload=["gnnviz.engine.warmup"],
            dashboard_address=f"{LOCALHOST}:0",
            host=LOCALHOST,
            security=security,
        )
        for name, kind, gpu in _workers(train_workers, gpus)
    ]
    await _until_stopped(stop, nannies)
    _end(credentials.parent, 0)  # here, for the loop's own end would complain about each lost worker


async def _stop_event() -> asyncio.Event:
    """Return an event that is set at the end of standard input, at SIGINT and at SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    class EndOfInput(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
            stop.set()

    await loop.connect_read_pipe(EndOfInput, sys.stdin)
    return stop


async def _until_stopped(stop: asyncio.Event, nannies: list[Nanny]) -> None:
    """Start the workers and wait for `stop`.

    Raises:
        EngineError: a worker could not be started, or its nanny gave up.
    """
    stopped = asyncio.create_task(stop.wait())
    ended = [asyncio.create_task(_until_ended(nanny)) for nanny in nannies]
    await asyncio.wait({stopped, *ended}, return_when=asyncio.FIRST_COMPLETED)
    for task in ended:
        if task.done() and not stop.is_set():
            task.result()


async def _until_ended(nanny: Nanny) -> NoReturn:
    await nanny
    await nanny.finished()
    raise EngineError(f"the worker {nanny.name} ended and was not started again")


async def _count_gpus() -> int:
    """Return the number of GPUs that torch sees, asking torch only where there is a driver."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    question = "import torch; print(torch.cuda.device_count())"
    asked = await asyncio.create_subprocess_exec(
        sys.executable, "-c", question, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await asked.communicate()
    return int(answer or 0)


def _count_train_workers(gpus: int) -> int:
    """Return how many runs train at a time: one a GPU, or half as many as cores, 2 to 4."""
    wanted = os.environ.get("GNNVIZ_TRAIN_WORKERS", "")
    if not wanted:
        return gpus if gpus > 1 else min(max(CPU_COUNT // 2, 2), 4)
    if not wanted.isascii() or not wanted.isdigit() or not 1 <= int(wanted) <= 64:
        raise EngineError(f"GNNVIZ_TRAIN_WORKERS is {wanted!r}; choose a whole number from 1 to 64")
    return int(wanted)


def _workers(train_workers: int, gpus: int) -> Iterator[tuple[str, str, str]]:
    """Yield name, resource and visible GPUs of every worker; only training uses a GPU."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = visible.split(",") if visible else [str(number) for number in range(gpus)]
    yield "interactive", "interactive", ""
    for number in range(train_workers):
        yield f"train-{number}", "train", names[number % gpus] if gpus else ""
    yield "slow", "slow", ""


def _end(folder: Path, status: int) -> NoReturn:
    """End every process of the cluster at once; the run store survives that at any point.

    An orderly end of dask waits for tasks that run, and training does not stop for it.
    """
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)
    logging.shutdown()
    os._exit(status)


if __name__ == "__main__":
    main()
