"""The user's own graphs: pairs of NAME.content and NAME.cites in the folder that GNNVIZ_DATA names.

An own graph is called `own:NAME`. Its files may change at any time; `fingerprint` says what they hold now.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from gnnviz.errors import DatasetError
from gnnviz.graph import Graph
from gnnviz.readers import check_file_name, read_content_cites

DATA_VARIABLE = "GNNVIZ_DATA"
OWN_PREFIX = "own:"


def own_names() -> tuple[str, ...]:
    """Return the own graphs whose files are there, but for names that cannot be used.

    Raises:
        DatasetError: GNNVIZ_DATA is set, but names no folder.
    """
    folder = folder_of(DATA_VARIABLE)
    if folder is None:
        return ()
    pairs = (path.stem for path in sorted(folder.glob("*.content")) if path.with_suffix(".cites").is_file())
    return tuple(f"{OWN_PREFIX}{name}" for name in pairs if _is_file_name(name))


def is_there(name: str) -> bool:
    """Return whether both files of `own:NAME` are there.

    Raises:
        DatasetError: a name that cannot be a file's; GNNVIZ_DATA is set, but names no folder.
    """
    folder = folder_of(DATA_VARIABLE)
    return folder is not None and all(path.is_file() for path in _paths_in(folder, name))


def read_own(name: str) -> Graph:
    """Return the graph `own:NAME`, without a split.

    Raises:
        DatasetError: files that are missing or cannot be used.
    """
    return read_content_cites(*_paths(name))


def fingerprint(name: str) -> str:
    """Return 16 hexadecimal digits that tell what the files of `own:NAME` hold now.

    Raises:
        DatasetError: the files are missing or cannot be read.
    """
    digest = hashlib.sha256()
    for path in _paths(name):
        try:
            digest.update(path.read_bytes())
        except OSError as error:
            raise DatasetError(f"{path.name} cannot be read ({error.strerror}); put it there again") from None
    return digest.hexdigest()[:16]


def folder_of(variable: str) -> Path | None:
    """Return the folder that an environment variable names; None if it is not set.

    Raises:
        DatasetError: it is set to something else.
    """
    value = os.environ.get(variable)
    if not value:
        return None
    if not Path(value).is_dir():
        raise DatasetError(f"{variable} is {value!r}, which is no folder; correct it or unset it")
    return Path(value)


def stem_of(name: str) -> str:
    """Return NAME of `own:NAME`.

    Raises:
        DatasetError: it cannot be a file's.
    """
    return check_file_name(name.removeprefix(OWN_PREFIX))


def _paths(name: str) -> tuple[Path, Path]:
    folder = folder_of(DATA_VARIABLE)
    if folder is None:
        stem = stem_of(name)
        raise DatasetError(f"set {DATA_VARIABLE} to the folder that holds {stem}.content and {stem}.cites")
    return _paths_in(folder, name)


def _paths_in(folder: Path, name: str) -> tuple[Path, Path]:
    stem = stem_of(name)
    return folder / f"{stem}.content", folder / f"{stem}.cites"


def _is_file_name(name: str) -> bool:
    try:
        check_file_name(name)
    except DatasetError:
        return False
    return True
