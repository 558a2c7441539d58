"""Out of memory, in words: what torch and numpy say differently becomes one sentence."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gnnviz.errors import RunError


@contextmanager
def memory_in_words(what: str) -> Iterator[None]:
    """Turn an error about memory inside the block into a sentence.

    Args:
        what: what memory is needed for, as in "memory is too small for <what>".

    Raises:
        RunError: memory is too small; says how much was asked for and what to lower.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        text = str(error)
        is_torch = isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in text
        if not is_torch and not isinstance(error, MemoryError):
            raise
        traceback.clear_frames(error.__traceback__)  # they hold the tensors that filled the memory
        asked = re.search(r"tried to allocate ([\d.]+ \w+)", text, re.IGNORECASE)
        amount = f" ({asked[1]} more were asked for)" if asked else ""
        raise RunError(
            f"memory is too small for {what}{amount}; lower the depth, the hidden width "
            "or the number of heads, or take a smaller graph"
        ) from None
