"""Words that came from a file, made fit for a sentence of ours."""

import re

_BREAKS = re.compile(r"[^\S\u00a0\u202f]+")  # all white space but what holds a number and its unit together
_MARKS = re.compile(r"([!-/:-@\[-`{-~])")


def as_text(words: str) -> str:
    """Return `words` so that Markdown shows them as they are: no picture, link or format comes of them."""
    return _MARKS.sub(r"\\\1", _BREAKS.sub(" ", words).strip())
