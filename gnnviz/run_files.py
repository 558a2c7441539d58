"""The files a run folder is made of, each written so that a reader never sees half of one.

Whole files go through a temporary name and `os.replace`; lines are appended and a torn last one is
cut; locks are files. Knows bytes, JSON and `OSError`; knows no run.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gnnviz.errors import RunError

TEMPORARY = ".tmp"

_REASONS = {
    errno.ENOENT: "it is not there; it may have been deleted meanwhile",
    errno.ENOSPC: "the disk is full; free some space, for instance by deleting runs, and try again",
    errno.EDQUOT: "your disk quota is used up; free some space, for instance by deleting runs, and try again",
    errno.EROFS: "the disk is read-only; choose a folder that can be written to",
    errno.EACCES: "access is denied; give this user the right to read and write the folder of runs",
    errno.EPERM: "access is denied; give this user the right to read and write the folder of runs",
    errno.ENOLCK: "this file system has no file locks; choose a folder on a local disk",
}


@contextmanager
def in_words(action: str) -> Iterator[None]:
    """Turn an `OSError` inside the block into a sentence.

    Args:
        action: what is being done, as in "could not <action>".

    Raises:
        RunError: the system refused; says what, why and what to do, and names no path.
    """
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0)
        if reason is None:
            reason = f"{(error.strerror or 'input/output error').lower()}; check the disk and try again"
        raise RunError(f"could not {action}: {reason}") from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that, whatever happens, its name holds the old content or all of the new.

    The bytes are on the disk before the name points at them, so this holds after a power cut, too.

    Raises:
        OSError: the disk refused; nothing under `path` has changed.
    """
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}{TEMPORARY}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def remove_temporaries(folder: Path) -> None:
    """Remove what writers that were killed left behind in `folder` and below.

    Raises:
        OSError: the disk refused.
    """
    for path in folder.rglob(f"*{TEMPORARY}"):
        path.unlink(missing_ok=True)


def empty_folder(folder: Path, but: str) -> None:
    """Remove everything in `folder` but the file named `but`.

    Raises:
        OSError: the disk refused.
    """
    for path in folder.iterdir():
        if path.is_dir():
            remove_tree(path)
        elif path.name != but:
            path.unlink()


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return what lies in a folder, which tells a folder from a file without asking the disk again.

    Raises:
        OSError: the disk refused; a missing folder is no error and has no entries.
    """
    try:
        with os.scandir(folder) as found:
            return list(found)
    except FileNotFoundError:
        return []


def size_of(path: Path) -> int:
    """Return the bytes in a file, or in all files below a folder; what is missing has none."""
    if path.is_dir():
        return sum(size_of(child) for child in path.iterdir())
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def remove_tree(folder: Path) -> None:
    """Remove a folder, which another process may be removing at the same time.

    Raises:
        OSError: the disk refused.
    """
    while folder.exists():
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            continue  # the other process was quicker with one file; go on with what is left


def append_line(path: Path, line: str) -> None:
    """Append one line and hand it to the system, after cutting a last line that was left unfinished.

    Raises:
        OSError: the disk refused; the file may now end in an unfinished line, which readers ignore.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    with open(descriptor, "r+b") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)
        file.write(line.encode() + b"\n")


def finished_lines(path: Path) -> list[bytes]:
    """Return the lines of a file without their ends; an unfinished last one is left out.

    Raises:
        OSError: the file cannot be read; a missing one is no error and has no lines.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    return content.split(b"\n")[:-1]


def cut_to_lines(path: Path, count: int) -> None:
    """Keep the first `count` finished lines of a file and cut the rest.

    Raises:
        OSError: the disk refused.
    """
    kept = finished_lines(path)[:count]
    if path.exists():
        os.truncate(path, sum(len(line) + 1 for line in kept))


def stamp_of(path: Path) -> tuple[int, ...] | None:
    """Return what changes when a file is written, replaced or given other rights; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def read_json(path: Path, what: str) -> object:
    """Return the JSON value in a file.

    Raises:
        RunError: the file is missing, unreadable or not JSON; `what` names it in the sentence.
    """
    try:
        with in_words(f"read {what}"):
            return json.loads(path.read_bytes())
    except ValueError as error:
        raise RunError(f"{what} is damaged or cut short: it is not JSON") from error


@contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a lock file while the block runs.

    Args:
        path: the file; made if it is missing, but not by a shared holder, who then holds nothing.
        shared: hold it together with other shared holders, to read; else alone, to change.

    Raises:
        OSError: the folder is missing, or the disk refused.
    """
    flags = os.O_RDONLY if shared else os.O_RDWR | os.O_CREAT
    while True:
        try:
            descriptor = os.open(path, flags | os.O_CLOEXEC, 0o666)
        except FileNotFoundError:
            if not shared:
                raise
            yield
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
            # The folder may have been deleted, or made anew, during the wait: then this is not its lock.
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                yield
                return
        finally:
            os.close(descriptor)
