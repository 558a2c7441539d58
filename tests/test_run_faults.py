"""The run store in bad times: files cut short, unknown names, disks that refuse."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec
from gnnviz.errors import RunError
from gnnviz.models import ModelConfig
from gnnviz.records import BestEpoch, EpochRecord, TrainState
from gnnviz.run_files import in_words
from gnnviz.runs import Owner, RunState, RunStatus, RunStore


def config_of(seed: int) -> RunConfig:
    return RunConfig(DatasetSpec(), ModelConfig(), TrainConfig(seed=seed))


CONFIG, OTHER = config_of(0), config_of(1)
RUN = CONFIG.run_id
ME = Owner.current()
RECORD = EpochRecord(1, 1.9, 1.8, 1.7, 1.6, 0.1, 0.2, 0.3, (1.0, 2.0), (3.0, 4.0), 0.004)


def filled_store(root: Path) -> RunStore:
    """Return a store with a finished run that has every kind of file, and another beside it."""
    store = RunStore(root)
    best = BestEpoch(1, 0.2, 1.7, 0.3)
    for config in (CONFIG, OTHER):
        store.claim(config, ME)
        for epoch in (1, 2, 3):
            store.append(config.run_id, replace(RECORD, epoch=epoch))
        store.save_checkpoint(config.run_id, 0, {"w": np.arange(5.0), "b": np.ones(3, dtype=np.float32)})
        store.save_state(config.run_id, TrainState(3, {"model.w": np.arange(5.0)}, best, 1.7, 2))
        store.write_status(config.run_id, RunStatus(RunState.DONE, "", 3, best, 1.0, 2.0, 3.0, 4.0, 1))
    return store


def read_all(store: RunStore, run_id: str) -> list[str]:
    """Read everything there is of a run; return the sentences of what could not be read."""
    sentences = []
    reads = [store.config, store.status, store.history, store.checkpoints, store.load_state, store.owner]
    reads += [
        store.history_size,
        store.size,
        store.cancel_requested,
        lambda run: store.load_checkpoint(run, 0),
    ]
    for read in reads:
        try:
            read(run_id)
        except RunError as error:
            sentences.append(str(error))
    return sentences


@pytest.mark.parametrize("name", ["config.json", "status.json", "lock"])
def test_a_small_file_cut_short_is_reported_in_words_and_the_run_can_be_claimed(tmp_path, name):
    store = filled_store(tmp_path)
    path = tmp_path / RUN / name
    whole = path.read_bytes()
    for length in range(0, len(whole), 3):
        path.write_bytes(whole[:length])
        sentences = read_all(store, RUN)
        if name == "lock":
            assert sentences == []
            assert store.owner(RUN) is None
        else:
            assert sentences == [store.problems()[RUN]]
            assert "cut short" in sentences[0]
            assert store.run_ids() == (OTHER.run_id,)
        assert read_all(store, OTHER.run_id) == []
    if name == "lock":
        assert not store.claim(CONFIG, ME)  # it is done
    else:
        store.release(RUN, ME)
        assert store.claim(CONFIG, ME)
        assert store.history(RUN) == ()
    assert store.problems() == {}


def test_a_history_cut_at_any_byte_keeps_its_finished_lines_and_takes_new_ones(tmp_path):
    store = filled_store(tmp_path)
    path = tmp_path / RUN / "history.jsonl"
    whole, records = path.read_bytes(), store.history(RUN)
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        finished = whole[:length].count(b"\n")
        assert store.history(RUN) == records[:finished]
        store.append(RUN, RECORD)
        assert store.history(RUN) == (*records[:finished], RECORD)


@pytest.mark.parametrize("name", ["checkpoints/0.safetensors", "state.safetensors"])
def test_arrays_cut_at_any_byte_are_refused_in_words(tmp_path, name):
    store = filled_store(tmp_path)
    path = tmp_path / RUN / name
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        (sentence,) = read_all(store, RUN)
        assert sentence.endswith("is damaged or cut short")
    assert set(store.run_ids()) == {RUN, OTHER.run_id}


@pytest.mark.parametrize("content", [b"\x00\xff\xfe" * 9, b"null", b"[]", b'{"state": 1}', b'"x"', b"9" * 30])
def test_files_with_something_else_in_them_are_reported_in_words(tmp_path, content):
    store = filled_store(tmp_path)
    for path in sorted((tmp_path / RUN).rglob("*.*")):
        whole = path.read_bytes()
        path.write_bytes(content + b"\n")
        assert len(read_all(store, RUN)) == 1, path.name
        path.write_bytes(whole)
    assert read_all(store, RUN) == []


def test_a_line_of_the_history_that_is_no_record_is_named(tmp_path):
    store = filled_store(tmp_path)
    path = tmp_path / RUN / "history.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"{}\n" + lines[2])
    with pytest.raises(RunError, match="damaged in line 2; delete the run"):
        store.history(RUN)


def test_folders_in_the_place_of_files_are_reported_in_words(tmp_path):
    store = filled_store(tmp_path)
    for name in ("config.json", "status.json", "history.jsonl", "state.safetensors"):
        path = tmp_path / RUN / name
        whole = path.read_bytes()
        path.unlink()
        path.mkdir()
        (sentence,) = read_all(store, RUN)
        assert "is a directory" in sentence
        assert str(tmp_path) not in sentence
        path.rmdir()
        path.write_bytes(whole)


def test_what_a_killed_writer_left_is_ignored_and_removed_by_the_next_owner(tmp_path):
    store = filled_store(tmp_path)
    store.write_status(RUN, RunStatus(RunState.FAILED))
    leftovers = [
        tmp_path / RUN / "status.json.0a.tmp",
        tmp_path / RUN / "checkpoints" / "5.safetensors.1b.tmp",
    ]
    for path in leftovers:
        path.write_bytes(b"half")
    assert store.checkpoints(RUN) == (0,)
    assert read_all(store, RUN) == []
    store.claim(CONFIG, ME)
    assert not any(path.exists() for path in leftovers)
    assert len(store.history(RUN)) == 3


def test_a_folder_whose_maker_was_killed_before_its_status_says_so(tmp_path):
    store = filled_store(tmp_path)
    store.release(RUN, ME)
    (tmp_path / RUN / "status.json").unlink()
    assert store.problems() == {
        RUN: f"could not read the status of run {RUN}: it is not there; it may have been deleted meanwhile"
    }
    assert store.claim(CONFIG, ME)
    assert store.problems() == {}


def test_a_run_whose_status_is_lost_stays_with_its_living_owner(tmp_path):
    store = filled_store(tmp_path)
    (tmp_path / RUN / "status.json").unlink()
    assert not store.claim(CONFIG, ME)
    assert len(store.history(RUN)) == 3


def test_a_disk_that_will_not_show_a_file_does_not_make_the_run_anew(tmp_path, monkeypatch):
    store = filled_store(tmp_path)
    store.release(RUN, ME)
    read_bytes = Path.read_bytes

    def refusing(path: Path) -> bytes:
        if path.name == "status.json":
            raise OSError(errno.EIO, "Input/output error", str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refusing)
    with pytest.raises(RunError, match="input/output error; check the disk"):
        store.claim(CONFIG, ME)
    monkeypatch.undo()
    assert store.status(RUN).state is RunState.DONE
    assert len(store.history(RUN)) == 3


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.write_status(RUN, RunStatus(RunState.FAILED)),
        lambda store: store.save_checkpoint(RUN, 0, {"w": np.zeros(9)}),
        lambda store: store.save_state(RUN, TrainState(9, {}, None, 0.0, 0)),
    ],
    ids=["status", "checkpoint", "state"],
)
def test_a_full_disk_is_reported_and_leaves_the_old_file(tmp_path, monkeypatch, write):
    store = filled_store(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, f"No space left on device {descriptor}")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match=r"could not write the .*: the disk is full; free some space"):
        write(store)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_history_on_a_full_disk_is_reported(tmp_path):
    store = filled_store(tmp_path)
    (tmp_path / RUN / "history.jsonl").unlink()
    (tmp_path / RUN / "history.jsonl").symlink_to("/dev/full")
    with pytest.raises(RunError, match=r"could not write the history of run .*: the disk is full"):
        store.append(RUN, RECORD)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EROFS, "the disk is read-only; choose a folder"),
        (errno.EACCES, "access is denied; give this user the right"),
        (errno.EMFILE, "too many open files; check the disk"),
    ],
)
def test_what_the_system_refuses_is_said_in_words_without_a_path(number, words):
    with pytest.raises(RunError, match=f"could not do it: {words}") as caught, in_words("do it"):
        raise OSError(number, os.strerror(number), "/some/where")
    assert "/some/where" not in str(caught.value)


def test_a_store_whose_folder_is_a_file_is_reported_in_words(tmp_path):
    (tmp_path / "runs").touch()
    with pytest.raises(RunError, match=f"could not claim run {RUN}"):
        RunStore(tmp_path / "runs").claim(CONFIG, ME)


@pytest.mark.parametrize(
    "name", ["", "..", "../runs", RUN.upper(), RUN[:-1], f"{RUN}0", f"{RUN}\n", "x" * 999]
)
def test_a_name_from_outside_is_checked_before_the_disk_is_touched(tmp_path, name):
    store = filled_store(tmp_path)
    for ask in (store.status, store.config, store.history, store.delete, store.size, store.owner):
        with pytest.raises(RunError, match="16 hexadecimal digits") as caught:
            ask(name)
        assert len(str(caught.value)) < 120


def test_an_unknown_run_is_refused_in_words(tmp_path):
    store = filled_store(tmp_path)
    unknown = "0" * 16
    for ask in (store.status, store.config, store.history_size, store.delete, store.load_state):
        with pytest.raises(RunError, match=f"unknown run {unknown}"):
            ask(unknown)


def test_another_format_version_is_refused_in_words(tmp_path):
    store = filled_store(tmp_path)
    path = tmp_path / RUN / "config.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "format_version": 1, "something": "new"}))
    assert store.run_ids() == (OTHER.run_id,)
    assert "has format version 1, but this gnnviz reads 2" in store.problems()[RUN]


def test_a_config_that_was_changed_by_hand_is_not_taken_for_the_runs_own(tmp_path):
    store = filled_store(tmp_path)
    path = tmp_path / RUN / "config.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    assert f"holds the config of {config_of(1).run_id}" in store.problems()[RUN]


def test_folders_with_other_names_are_named_as_problems_and_files_are_not(tmp_path):
    store = filled_store(tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "README").touch()
    assert set(store.run_ids()) == {RUN, OTHER.run_id}
    assert store.problems() == {"notes": "'notes' is no run: the name of a run is 16 hexadecimal digits"}
