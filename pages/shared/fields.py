"""Widgets whose value is in the address and in the session: each checks what arrives, then draws itself."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import streamlit as st

from pages.shared import url

KEEP = "session"


class Explained(Protocol):
    """A registry's record: what the user is told about a choice."""

    @property
    def label(self) -> str:
        """The name on screen."""
        ...

    @property
    def help(self) -> str:
        """One line that explains it."""
        ...


def select(
    key: str, options: Sequence[str], default: str, label: str, words: Callable[[str], str], hint: str
) -> str:
    """Draw a list to choose from and return the choice; `words` says an option to the user."""
    url.choice(key, options, default, label.lower())
    return st.selectbox(label, options, key=key, format_func=words, help=hint, persist_state=KEEP)


def select_record(
    key: str, records: Mapping[str, Explained], default: str, label: str, options: Sequence[str] | None = None
) -> str:
    """Draw a list of a registry's records, or of the `options` among them, each explained in the help."""
    keys = list(records) if options is None else list(options)
    hint = "\n\n".join(f"**{records[name].label}**: {records[name].help}" for name in keys)
    return select(key, keys, default, label, lambda name: records[name].label, hint)


def choose(key: str, words: Mapping[str, str], default: str, label: str, hint: str) -> str:
    """Draw a list of values, each with the words that say it to the user, and return the value."""
    return select(key, list(words), default, label, words.__getitem__, hint)


def pick_records(
    key: str,
    records: Mapping[str, Explained],
    default: Sequence[str],
    label: str,
    hint: str,
    options: Sequence[str] | None = None,
) -> tuple[str, ...]:
    """Draw a choice of any number of a registry's records, or of the `options` among them; return the keys.

    What was chosen before and is no option any more is let go of.
    """
    keys = list(records) if options is None else list(options)
    take_records(key, keys, default, label.lower())
    explained = "\n\n".join(f"**{records[name].label}**: {records[name].help}" for name in keys)
    return tuple(
        st.multiselect(
            label,
            keys,
            key=key,
            format_func=lambda name: records[name].label,
            help=f"{hint}\n\n{explained}",
            placeholder="none",
            persist_state=KEEP,
        )
    )


def take_records(key: str, options: Sequence[str], default: Sequence[str], noun: str) -> None:
    """Set what is chosen to what the address names, or to what was chosen before and is still an option."""
    if key in st.session_state:
        kept = [name for name in st.session_state[key] if name in options]
        if kept != list(st.session_state[key]):
            st.session_state[key] = kept
    url.several(key, options, default, noun)


def switch(key: str, default: bool, label: str, hint: str) -> bool:
    """Draw a choice between yes and no and return it."""
    return choose(key, {"yes": "yes", "no": "no"}, "yes" if default else "no", label, hint) == "yes"


def whole(key: str, smallest: int, largest: int, default: int, label: str, hint: str) -> int:
    """Draw a field for a whole number and return it."""
    url.whole(key, smallest, largest, default, label)
    return st.number_input(label, smallest, largest, key=key, help=hint, persist_state=KEEP)


def slide(key: str, smallest: int, largest: int, default: int, label: str, hint: str) -> int:
    """Draw a slider over whole numbers and return the number."""
    url.whole(key, smallest, largest, default, label)
    return st.slider(label, smallest, largest, key=key, help=hint, persist_state=KEEP)


def real(key: str, smallest: float, largest: float, default: float, label: str, hint: str) -> float:
    """Draw a field for a number and return it."""
    url.real(key, smallest, largest, default, label)
    return st.number_input(
        label, smallest, largest, key=key, step=1e-4, format="%g", help=hint, persist_state=KEEP
    )


def share(key: str, default: float, label: str, hint: str) -> float:
    """Draw a slider over shares that can be hidden, 0 to 0.99, and return the share."""
    url.real(key, 0.0, 0.99, default, label)
    return st.slider(label, 0.0, 0.99, key=key, step=0.01, help=hint, persist_state=KEEP)
