"""What the pages share: the run that is looked at, chosen in the sidebar and carried by the address."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.errors import GnnvizError, RunError
from gnnviz.figures.layout import percent
from gnnviz.graph import Graph
from gnnviz.run_status import PAUSED, RunState
from pages.shared import url
from pages.shared.background import known_configs, one_look, run_store

RUN = "run"
EPOCH = "epoch"
NODE = "node"
REFRESH_SECONDS = 0.5
UNHURRIED = 2.0  # for what need not be seen the moment it changes; less often does not seem to live
_DRAWING_SHARE = 0.05  # of a core that redrawing one part may take: the rest is for training and clicks
_EPOCH_WORDS = {"best": "best by validation", "last": "last", "0": "0, untrained"}
_NEXT = "next_run"
_SEARCH = "node_search"
_COMPLAINT = "node_complaint"
_WHOLE, _AGAIN = "whole_page", "page_again"
STATE_WORDS = {
    RunState.QUEUED: ":gray[waiting]",
    RunState.RUNNING: ":blue[running]",
    RunState.DONE: ":green[done]",
    RunState.CANCELLED: ":gray[cancelled]",
    PAUSED: ":orange[paused]",
    RunState.FAILED: ":red[failed]",
    RunState.INTERRUPTED: ":orange[interrupted]",
}


def pick_run(accepts: Callable[[RunConfig], bool] = lambda _config: True, key: str = RUN) -> str | None:
    """Draw the sidebar's run picker and return the chosen run's id; None where there is no run yet.

    Args:
        accepts: which runs this page can show; the others are not offered.
        key: of the picker; a page that does not accept every run has one of its own, so that passing
            through it does not change the run that the other pages look at.
    """
    if waiting := st.session_state.pop(_NEXT, None):
        st.session_state[RUN] = waiting
    configs = {config.run_id: config for config in known_configs()}
    offered = [run_id for run_id, config in configs.items() if accepts(config)]
    if not offered:
        url.choice(key, [], "", "run", parameter=RUN)
        return None
    current = _still_there(st.session_state.get(RUN), configs)
    follows = key != RUN and current in (None, *offered)
    if follows and current is not None:
        st.session_state[key] = current
    url.choice(key, offered, offered[0], "run", parameter=RUN)
    chosen = st.sidebar.selectbox(
        "Run",
        offered,
        key=key,
        on_change=lambda: look_at(st.session_state[key]),
        format_func=lambda run_id: run_caption(run_id, configs[run_id]),
        persist_state="session",
        help="The trained model that this page looks at. Every page looks at the same one; "
        "the newest is on top. Its id is part of the address, so a link shows the same run.",
    )
    if follows:
        st.session_state[RUN] = chosen
    with st.sidebar:
        live("run-status", lambda: _run_status(chosen), UNHURRIED)
    return chosen


def _still_there(run_id: str | None, there: Collection[str]) -> str | None:
    """Return the run that was looked at before; None, after saying so, where it is gone."""
    if run_id is None or run_id in there:
        return run_id
    url.complain(f"Run {run_id} is not there any more: it may have been deleted. This is another one.")
    del st.session_state[RUN]
    return None


def look_at(run_id: str) -> None:
    """Choose a run from a button; the picker shows it when the whole page is drawn next.

    A button may stand in a part that is drawn by itself, where the browser would not hear of another run
    in the picker, and would soon send the old one back.
    """
    st.session_state[_NEXT] = run_id


def _run_status(run_id: str) -> bool:
    """Say how the chosen run stands; return whether it goes on."""
    status = run_store().status(run_id)
    result = f" · {percent(status.best.test_acc)} of test nodes" if status.best else ""
    st.caption(f"{STATE_WORDS[status.word]}{result}")
    return status.state.is_active


def pick_epoch(run_id: str) -> int:
    """Draw the picker of a run's kept epochs and return the chosen one.

    The address and the session say "best" and "last" in words, so that they fit every run.

    Raises:
        RunError: nothing of the run has been kept yet.
    """
    store = run_store()
    kept = store.checkpoints(run_id)
    if not kept:
        if store.status(run_id).state.is_active:
            raise RunError(f"run {run_id} has no checkpoint yet; wait until it has begun")
        raise RunError(f"run {run_id} ended before its first checkpoint; choose another run")
    best = store.status(run_id).best
    epochs = {"best": best.epoch if best and best.epoch in kept else kept[-1], "last": kept[-1]}
    options = ["best", "last", *map(str, kept)]
    url.choice(EPOCH, options, "best", "epoch")
    chosen = st.selectbox(
        "Epoch",
        options,
        key=EPOCH,
        format_func=lambda option: str(_EPOCH_WORDS.get(option, option)),
        persist_state="session",
        help="When in training to look. 0 is the untrained network; best is the one chosen on the validation "
        "nodes. At most 18 epochs of a run are kept, closer together at its beginning.",
    )
    return epochs[chosen] if chosen in epochs else int(chosen)


def pick_node(graph: Graph) -> int | None:
    """Return the node that is looked at, as the address, a click or another page says; None for none."""
    if NODE in st.session_state and st.session_state[NODE] is None:
        del st.session_state[NODE]
    url.whole(NODE, -1, graph.num_nodes - 1, -1, "The node")
    node = st.session_state[NODE]
    return None if node < 0 else node


def search_node(graph: Graph) -> int:
    """Draw the field for a node's number or name and return the node that is looked at.

    Where none was chosen yet, it is one with a handful of neighbours.
    """
    chosen = pick_node(graph)
    node = graph.example_node() if chosen is None else chosen
    st.session_state[_SEARCH] = graph.node_name(node)
    st.text_input(
        "Node",
        key=_SEARCH,
        on_change=_take_search,
        args=(graph,),
        help="Its name or its number; or click a node in a picture. The other pages look at the same node.",
    )
    if complaint := st.session_state.pop(_COMPLAINT, None):
        st.warning(complaint)
    return node


def _take_search(graph: Graph) -> None:
    text = st.session_state[_SEARCH].strip()
    node = graph.find_node(text)
    if node is None:
        st.session_state[_COMPLAINT] = (
            f"There is no node {text!r}; give a name or a number from 0 to {graph.num_nodes - 1}."
        )
    else:
        st.session_state[NODE] = node


def take_click(key: str) -> None:
    """Look at the node that was clicked in the picture called `key`."""
    clicked = st.session_state[key].click
    # A chart reports every mark that was hit, a scene one node.
    node = next(iter(clicked), None) if isinstance(clicked, list) else clicked
    if node is not None:
        st.session_state[NODE] = int(node)


def run_caption(run_id: str, config: RunConfig) -> str:
    """Return one line that tells a run from the others.

    Not how it stands: the browser remembers a choice by its line, and forgets it when the line changes.
    """
    return f"{config.title} · {run_id[:4]}"


def live(key: str, draw: Callable[[], bool], seconds: float = REFRESH_SECONDS) -> None:
    """Draw a part of the page, and again every so many seconds while something in it is still being made.

    When that begins or ends, or a button in it chose a run or was refused, the whole page is drawn once. An
    error for people is a sentence in the part's place.

    Args:
        key: names the part on its page.
        draw: draws it; returns whether something in it is still being made.
        seconds: from one drawing to the next, or longer where drawing it takes long.
    """
    flag, cost = f"live-{key}", f"cost-{key}"
    polling = st.session_state.get(flag, False)

    def part() -> None:
        begun = time.thread_time()
        try:
            with one_look():
                busy = draw()
        except GnnvizError as error:
            st.error(str(error), icon=":material/error:")
            busy = False
        st.session_state[cost] = time.thread_time() - begun
        unseen = url.has_unseen_problem() and not st.session_state[_WHOLE]
        if busy != polling or _NEXT in st.session_state or unseen:
            st.session_state[flag] = busy
            _draw_page_again()

    affordable = min(st.session_state.get(cost, 0.0) / _DRAWING_SHARE, UNHURRIED)
    st.fragment(part, run_every=max(seconds, affordable) if polling else None, key=key)()


@contextmanager
def whole_page() -> Iterator[None]:
    """Draw the whole page in the block, and once more after it if one of its parts has asked for that.

    A page that is begun is drawn to its end: only a part that is drawn by itself starts anew at once.
    """
    st.session_state[_WHOLE], st.session_state[_AGAIN] = True, False
    try:
        with one_look():
            yield
    finally:
        st.session_state[_WHOLE] = False
    if st.session_state[_AGAIN]:
        st.rerun()


def _draw_page_again() -> None:
    if not st.session_state[_WHOLE]:
        st.rerun()
    st.session_state[_AGAIN] = True
