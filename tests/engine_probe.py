"""For the engine's tests: a stand-in for the app, tasks that misbehave, and when two runs are the same."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.engine import tasks
from gnnviz.engine.client import Engine
from gnnviz.errors import GnnvizError
from gnnviz.models import ModelConfig
from gnnviz.records import EpochRecord
from gnnviz.runs import Owner, RunStatus, RunStore

PATIENCE = 120.0  # seconds: a deadline for busy machines, not an expectation


def small_run(epochs: int, seed: int = 0) -> RunConfig:
    """Return a run whose epochs take about a millisecond."""
    model, training = ModelConfig(hidden_channels=8), TrainConfig(epochs=epochs, seed=seed)
    return RunConfig(DatasetSpec("karate", "leaders"), model, training)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def ended(engine: Engine, run_id: str) -> RunStatus:
    wait_until(lambda: not engine.store.status(run_id).state.is_active)
    return engine.store.status(run_id)


def timeless(history: tuple[EpochRecord, ...]) -> list[EpochRecord]:
    return [replace(record, seconds=0.0) for record in history]


def undisturbed(root: Path, config: RunConfig) -> RunStore:
    """Train in this process, from the first epoch to the last, and return the store."""
    store = RunStore(root)
    assert store.claim(config, Owner.current())
    queued_at = store.status(config.run_id).queued_at
    import torch

    tasks.train_run(str(root), config.run_id, Owner.current(), queued_at)
    torch.set_flush_denormal(False)  # it is a setting of the thread, and other tests use that
    return store


def assert_same_run(one: RunStore, other: RunStore, run_id: str) -> None:
    assert timeless(one.history(run_id)) == timeless(other.history(run_id))
    assert one.status(run_id).best == other.status(run_id).best
    last = one.checkpoints(run_id)[-1]
    ours, theirs = one.load_checkpoint(run_id, last), other.load_checkpoint(run_id, last)
    assert ours.keys() == theirs.keys()
    for name, weights in ours.items():
        assert weights.tobytes() == theirs[name].tobytes()


def raise_torch_error() -> None:
    """Raise an exception of torch's own, from another one, with a tensor in the frame."""
    import torch

    tensor = torch.zeros(2)
    try:
        tensor @ torch.zeros(3)
    except RuntimeError as error:
        raise torch.cuda.OutOfMemoryError("no room for a tensor") from error


def note_call(path: str) -> str:
    with open(path, "a") as file:
        file.write("called\n")
    time.sleep(0.3)
    return path


def main(action: str, root: Path, epochs: int) -> None:
    """Behave as the app's server: start the engine, ask for a run, and go on until told to end."""
    engine = Engine.start(root)
    if action == "fail":
        try:
            engine.ask(raise_torch_error).result(60)
        except GnnvizError as error:
            sys.stdout.write(f"{type(error).__name__}: {error}\n")
        sys.stdout.write(f"{sorted({'torch', 'sklearn'} & sys.modules.keys())}\n")
        engine.close()
        return
    engine.submit(small_run(epochs))
    sys.stdout.write("submitted\n")
    sys.stdout.flush()
    sys.stdin.read()
    engine.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
