"""The run store under processes that are killed, race for a run, or delete it from under each other."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.errors import RunError
from gnnviz.models import ModelConfig
from gnnviz.run_files import locked
from gnnviz.runs import Owner, RunState, RunStore

ROOT = Path(__file__).resolve().parents[1]
PRELUDE = """
import os
import sys
from itertools import count
from pathlib import Path
import numpy as np
from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.errors import RunError
from gnnviz.models import ModelConfig
from gnnviz.records import EpochRecord, TrainState
from gnnviz.runs import Owner, RunState, RunStatus, RunStore

store, me = RunStore(Path(sys.argv[1])), Owner.current()
config_of = lambda seed: RunConfig(DatasetSpec(), ModelConfig(), TrainConfig(seed=seed))
"""
FORKS = """
for line in sys.stdin:
    pid = os.fork()
    if pid:
        print("killed by", os.waitpid(pid, 0)[1], flush=True)
        continue
    me = Owner.current()
"""
TRAINS = """
config = config_of(0)
run = config.run_id
assert store.claim(config, me)
state = store.load_state(run)
begin = state.epoch if state else 0
store.truncate_history(run, begin)
print(os.getpid(), flush=True)
for epoch in range(begin + 1, 100_000):
    store.append(run, EpochRecord(epoch, 1, 1, 1, 1, 1, 1, 1, (1.0,) * 64, (1.0,) * 64, 1))
    store.write_status(run, RunStatus(RunState.RUNNING, epochs_done=epoch))
    store.save_checkpoint(run, epoch % 10, {"w": np.full(1000, epoch)})
    store.save_state(run, TrainState(epoch, {"w": np.full(1000, epoch)}, None, 1.0, 0))
"""
CLAIMS_AND_DELETES = """
print(os.getpid(), flush=True)
for number in count():
    run = config_of(number % 20).run_id
    try:
        if store.claim(config_of(number % 20), me):
            store.release(run, me)
        store.delete(run)
    except RunError as error:
        assert any(words in str(error) for words in ("in the hands of", "unknown run", "is not there")), error
"""
LOCKS = """
from gnnviz.run_files import locked
print("ready", flush=True)
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.readline()
"""
CLAIMS_AT_ONCE = """
configs = [config_of(seed) for seed in range(50)]
print("ready", flush=True)
sys.stdin.readline()
print(*(int(store.claim(config, me)) for config in configs), flush=True)
sys.stdin.readline()
"""


def config_of(seed: int) -> RunConfig:
    return RunConfig(DatasetSpec(), ModelConfig(), TrainConfig(seed=seed))


CONFIG = config_of(0)
RUN = CONFIG.run_id
ME = Owner.current()


def start(script: str, root: Path) -> subprocess.Popen[str]:
    """Start a process that works on the store."""
    command = [sys.executable, "-c", PRELUDE + script, str(root)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, bufsize=1)


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@contextmanager
def workers(script: str, root: Path) -> Iterator[Callable[[float], int]]:
    """Give a function that has a new process run the script, and kills it so many seconds after it began.

    The processes are forked from one that has imported everything, so that each begins at once.
    """
    nursery = start(f"{FORKS}    exec({script!r})\n    os._exit(1)\n", root)

    def run_and_kill(seconds: float) -> int:
        tell(nursery, "go")
        pid = int(hear(nursery))
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
        assert hear(nursery) == f"killed by {signal.SIGKILL.value}"
        return pid

    try:
        yield run_and_kill
    finally:
        nursery.kill()
        nursery.communicate()


def test_a_writer_killed_again_and_again_leaves_a_readable_run_that_goes_on(tmp_path):
    store, moments = RunStore(tmp_path), random.Random(0)
    last_epoch = 0
    with workers(TRAINS, tmp_path) as run_and_kill:
        for _ in range(40):
            run_and_kill(moments.uniform(0, 0.05))
            epochs = [record.epoch for record in store.history(RUN)]
            assert store.run_ids() == (RUN,)
            assert store.problems() == {}
            assert store.status(RUN).state is RunState.INTERRUPTED
            assert epochs == list(range(1, len(epochs) + 1))
            assert abs(len(epochs) - store.status(RUN).epochs_done) <= 1  # the history may have been cut back
            for slot in store.checkpoints(RUN):
                (epoch,) = set(store.load_checkpoint(RUN, slot)["w"].tolist())
                assert epoch % 10 == slot
            state = store.load_state(RUN)
            if state is not None:
                assert set(state.tensors["w"].tolist()) == {state.epoch}
                assert len(epochs) - state.epoch in (0, 1)
                assert state.epoch >= last_epoch
                last_epoch = state.epoch
    assert last_epoch > 0
    assert store.claim(CONFIG, ME)
    assert not list(tmp_path.rglob("*.tmp"))


def test_processes_that_claim_and_delete_and_are_killed_leave_nothing_in_the_way(tmp_path):
    store, moments = RunStore(tmp_path), random.Random(1)
    bystander = start(f"print('here', flush=True)\n{CLAIMS_AND_DELETES}", tmp_path)
    assert hear(bystander) == "here"
    with workers(CLAIMS_AND_DELETES, tmp_path) as run_and_kill:
        for _ in range(20):
            run_and_kill(moments.uniform(0, 0.05))
    assert bystander.poll() is None
    bystander.kill()
    bystander.communicate()
    for run_id in store.run_ids():
        assert store.config(run_id).run_id == run_id
        assert not store.status(run_id).state.is_active
        assert store.history(run_id) == ()
    for reason in store.problems().values():
        assert reason.endswith("it is not there; it may have been deleted meanwhile")
    for seed in range(20):
        assert store.claim(config_of(seed), ME)
        store.release(config_of(seed).run_id, ME)
    assert len(store.run_ids()) == 20
    for run_id in store.run_ids():
        store.delete(run_id)
    assert list(tmp_path.iterdir()) == []


def test_of_many_processes_that_claim_at_once_exactly_one_gets_each_run(tmp_path):
    processes = [start(CLAIMS_AT_ONCE, tmp_path) for _ in range(4)]
    assert [hear(process) for process in processes] == ["ready"] * 4
    for process in processes:
        tell(process, "go")
    answers = [[int(word) for word in hear(process).split()] for process in processes]
    winners = np.array(answers)  # [processes, runs]
    assert winners.shape == (4, 50)
    assert winners.sum(axis=0).tolist() == [1] * 50
    store = RunStore(tmp_path)
    for seed in range(50):
        owner = store.owner(config_of(seed).run_id)
        assert owner is not None
        assert owner.pid == processes[int(winners[:, seed].argmax())].pid
    for process in processes:
        process.communicate()


def test_a_run_belongs_to_its_process_until_that_is_killed(tmp_path):
    store = RunStore(tmp_path)
    process = start(TRAINS, tmp_path)
    assert hear(process) == str(process.pid)
    assert not store.claim(CONFIG, ME)
    with pytest.raises(RunError, match=f"in the hands of process {process.pid} "):
        store.delete(RUN)
    assert store.status(RUN).state in (RunState.QUEUED, RunState.RUNNING)
    process.kill()
    process.communicate()
    assert store.status(RUN).state is RunState.INTERRUPTED
    assert store.claim(CONFIG, ME)


def test_who_waited_for_a_folder_that_was_made_anew_locks_the_new_one(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    with locked(folder / "lock"):
        waiting = start(LOCKS, folder / "lock")
        assert hear(waiting) == "ready"
        time.sleep(0.3)  # by now it waits; if not, the test proves less, but fails no sound store
        folder.rename(tmp_path / "deleted")
        folder.mkdir()
        (folder / "lock").touch()
    assert hear(waiting) == "locked"
    with (folder / "lock").open() as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    waiting.communicate("\n")
