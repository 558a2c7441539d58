"""The state of a page in its address: read once when a link arrives, written after every choice.

A value from outside is checked before a widget sees it; what cannot be used is said in a sentence
and the default is shown. Streamlit's own binding would put labels into the address and drop what
is wrong without a word.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import ParamSpec

import streamlit as st

from gnnviz.errors import GnnvizError

Wanted = ParamSpec("Wanted")

_PAGE = "url_page"
_KNOWN = "url_known"
_MOST_OFFERED = 30  # options that a sentence lists: all measures and models, not all runs
_REMEMBERED = 64
_PENDING = "url_pending"
_SHOWN = "url_shown"
_PROBLEMS = "url_problems"
_SETTLED = "url_settled"
_UNSEEN = "url_unseen"


def begin(page: str) -> None:
    """Notice whether the address was changed by a link or by hand; call once, before the page runs.

    A browser that has not yet heard of the newest address still sends an older one of ours with a click:
    that is an echo, not a link, and must not undo the click.

    Args:
        page: where the address leads, "" for the first page.
    """
    state = st.session_state
    if state.get(_PAGE) != page:
        state[_PAGE], state[_KNOWN], state[_PENDING], state[_SHOWN] = page, [], {}, None
        state[_SETTLED] = set()
    address = st.query_params.to_dict()
    if address not in state[_KNOWN]:
        _know(address)
        state[_PENDING], state[_SHOWN], state[_PROBLEMS] = dict(address), None, []


def _know(address: Mapping[str, str]) -> None:
    known = st.session_state[_KNOWN]
    if address not in known:
        st.session_state[_KNOWN] = [*known, dict(address)][-_REMEMBERED:]


def choice(
    key: str, options: Sequence[str], default: str, noun: str, *, parameter: str | None = None
) -> None:
    """Set `st.session_state[key]` to what the address names, to what was chosen before, or to `default`.

    Args:
        key: of the widget.
        options: what can be chosen.
        default: one of them.
        noun: what is chosen, for a complaint.
        parameter: what it is called in the address, if not `key`: then two pages can share a word there
            and keep choices of their own.
    """
    raw = arriving(parameter or key)
    if raw is not None and raw not in options:
        complain(f"There is no {noun} {raw!r} here; {_offer(options)}.")
        raw = None
    if raw is not None:
        st.session_state[key] = raw
    elif st.session_state.get(key) not in options:
        st.session_state[key] = default
    _settle(key)


def _offer(options: Sequence[str]) -> str:
    """Say what can be chosen, of many options the first few."""
    if not options:
        return "nothing can be chosen yet"
    more = len(options) - _MOST_OFFERED
    return f"choose from {', '.join(options[:_MOST_OFFERED])}{f' or {more} more' if more > 0 else ''}"


def several(key: str, options: Sequence[str], default: Sequence[str], noun: str) -> None:
    """Like `choice`, for any number of the options, which the address separates by commas."""
    raw = arriving(key)
    chosen = None if raw is None else [part for part in raw.split(",") if part]
    unknown = [part for part in chosen or [] if part not in options]
    if unknown:
        complain(f"There is no {noun} {unknown[0]!r} here; {_offer(options)}.")
        chosen = None
    if chosen is not None:
        st.session_state[key] = list(dict.fromkeys(chosen))
    elif not set(st.session_state.get(key, [None])) <= set(options):
        st.session_state[key] = list(default)
    _settle(key)


def whole(
    key: str, smallest: int, largest: int, default: int, noun: str, *, parameter: str | None = None
) -> None:
    """Like `choice`, for a whole number in `smallest`..`largest`."""
    _number(key, smallest, largest, default, noun, int, parameter)


def real(key: str, smallest: float, largest: float, default: float, noun: str) -> None:
    """Like `choice`, for a number in `smallest`..`largest`."""
    _number(key, smallest, largest, default, noun, float, None)


def publish(values: Mapping[str, object], defaults: Mapping[str, object] | None = None) -> None:
    """Put `values` into the address, without those that equal their default."""
    standard = {key: _written(value) for key, value in (defaults or {}).items()}
    shown = {
        key: _written(value)
        for key, value in values.items()
        if value is not None and _written(value) != standard.get(key)
    }
    if st.session_state[_SHOWN] not in (None, shown):
        st.session_state[_PROBLEMS] = []  # the user has gone on since
    st.session_state[_SHOWN] = shown
    _know(shown)
    if st.query_params.to_dict() != shown:
        st.query_params.from_dict(shown)


def show_problems() -> None:
    """Say what of the address could not be used, and what a button could not do."""
    st.session_state[_UNSEEN] = False
    for sentence in st.session_state.get(_PROBLEMS, []):
        st.warning(sentence, icon=":material/link_off:")


def _written(value: object) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(_written, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def arriving(key: str) -> str | None:
    """Return what a link or a hand has put into the address under `key`, once; else None.

    A run of the script may end early; what it did not come to ask for is there for the next one.
    """
    return st.session_state[_PENDING].pop(key, None)


def complain(sentence: str) -> None:
    """Say to the user what of the address could not be used, until the next choice after it is shown."""
    if sentence not in st.session_state[_PROBLEMS]:
        st.session_state[_PROBLEMS].append(sentence)
    st.session_state[_UNSEEN], st.session_state[_SHOWN] = True, None


def has_unseen_problem() -> bool:
    """Return whether something was complained of since the page was drawn as a whole."""
    return st.session_state.get(_UNSEEN, False)


def saying_why_not(act: Callable[Wanted, object]) -> Callable[Wanted, None]:
    """Return what a button calls to do `act`: what is refused is said on the page.

    Streamlit calls it before the page is drawn, where an error would be met by nobody: the run may have been
    deleted by another server or in another window since the button was drawn.
    """

    @wraps(act)
    def tried(*args: Wanted.args, **kwargs: Wanted.kwargs) -> None:
        try:
            act(*args, **kwargs)
        except GnnvizError as error:
            complain(str(error))

    return tried


def _number(
    key: str,
    smallest: float,
    largest: float,
    default: float,
    noun: str,
    kind: type,
    parameter: str | None,
) -> None:
    raw = arriving(parameter or key)
    value = None
    if raw is not None:
        try:
            value = kind(raw)
        except ValueError:
            value = None
        if value is None or not smallest <= value <= largest:
            value = None
            form = "a whole number" if kind is int else "a number"
            span = f"{_bound(smallest)} to {_bound(largest)}"
            complain(f"{noun} is {raw!r} in the address; choose {form} from {span}.")
    if value is not None:
        st.session_state[key] = value
    current = st.session_state.get(key)
    if current is None or not smallest <= current <= largest:
        st.session_state[key] = default
    _settle(key)


def _bound(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def _settle(key: str) -> None:
    """Put a value that another page has set into its widget here, once.

    The browser may have left that page before it heard of a value that a link had brought; the widget
    would then begin anew with its default.
    """
    if key not in st.session_state[_SETTLED]:
        st.session_state[_SETTLED].add(key)
        st.session_state[key] = st.session_state[key]
