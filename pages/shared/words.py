"""Words that came from a file, made fit for a sentence of ours."""

import re

_MARKS = re.compile(r"([!-/:-@\[-`{-~])")


def as_text(words: str) -> str:
    """Return `words` so that Markdown shows them as they are: no picture, link or format comes of them."""
    return _MARKS.sub(r"\\\1", " ".join(words.split()))
