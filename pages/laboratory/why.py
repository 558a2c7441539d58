"""Why does this run work or fail? The verdict, its evidence in numbers, and the run that would decide."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.controls import known_control
from gnnviz.diagnosis import VERDICTS, Diagnosis, evidence_table
from gnnviz.diagnosis_experiments import Experiment
from gnnviz.engine.verdicts import diagnose
from gnnviz.figures.layout import counted, listed
from gnnviz.runs import RunState, RunStatus
from pages.shared import url
from pages.shared.background import ask, engine, known_configs, plan_of, resume, run_store
from pages.shared.selection import STATE_WORDS, live, look_at
from pages.shared.words import as_text

_CONFIDENT = ":material/verified: The evidence agrees."
_UNSURE = (
    ":material/help: The evidence does not agree, or is close to a threshold: hence an experiment, below."
)
_WIDTHS: dict[str, Literal["small", "large"]] = {
    "What": "large", "Value": "small", "Threshold": "small", "Speaks for": "large",
}  # fmt: skip
_HOW_DECIDED = (
    "How to read it: each line is one number, held against a threshold. A run **works** if it gets clearly "
    "more test nodes right than guessing, and keeps at least half of what it learned on the training nodes. "
    "Where it fits the training nodes only, it is **over-fitting**, unless its last hidden state lies in the "
    "limit of averaging and averaging alone brings the features there, too: **over-smoothing**. Where it "
    "does not fit them either, a layer that gives every node the same row, a gradient that vanishes, "
    "weights that have shrunk away, dead nodes or exploding values mean a **dead signal**; losses that "
    "still fall, or steps too short for any weight to have moved far, mean **under-trained**. Where a "
    "signal can go around layers, only those count that it cannot avoid. Results on nodes count from "
    "guessing the largest class (0 %) to all right (100 %)."
)


def why(config: RunConfig) -> None:
    """Draw why a run does what it does."""
    live("why", lambda: _why(config))


def _why(config: RunConfig) -> bool:
    """Draw the diagnosis; return whether it is still awaited, or may change."""
    status = run_store().status(config.run_id)
    if status.state.is_active:
        st.subheader("Why it works or fails is said when its training has ended")
        return True
    found = ask(diagnose, config.run_id, _moment(config, status.epochs_done), slow=True)
    if found is None:
        st.subheader("Looking for what made it so")
        st.caption(":material/sync: Its layers are measured and compared with averaging alone ...")
        return True
    if status.state is not RunState.DONE:
        _offer_the_rest(config, status)
    return _diagnosis(found)


def _offer_the_rest(config: RunConfig, status: RunStatus) -> None:
    """Say that the run has not come to its end, and draw the button that lets it go on."""
    words, action = st.columns([5, 1.6], vertical_alignment="center")
    words.caption(
        f":material/info: It is {STATE_WORDS[status.word]} after {counted(status.epochs_done)} of "
        f"{counted(config.training.epochs)} epochs; what follows is said of these."
    )
    action.button(
        "Continue it", key="why-continue", on_click=resume, args=([config.run_id],),
        icon=":material/play_arrow:", width="stretch", help="Goes on from its last state.",
    )  # fmt: skip


def _moment(config: RunConfig, epochs_done: int) -> tuple[int, ...]:
    """Return how far the run and its control are: what an answer depends on beside the run itself."""
    done = plan_of([known_control(config, known_configs())]).done
    return epochs_done, len(done)


def _diagnosis(found: Diagnosis) -> bool:
    """Draw the verdict, its evidence and the experiment; return whether an experiment is being made."""
    spec = VERDICTS[found.verdict]
    st.subheader(as_text(found.sentence))
    st.markdown(f"**{spec.label}.** {spec.help} {_CONFIDENT if found.confident else _UNSURE}")
    st.markdown(f"{as_text(found.because)}.")
    active = _experiment(found.experiment) if found.experiment else False
    if found.evidence:
        st.dataframe(
            evidence_table(found.evidence),
            hide_index=True,
            height="content",
            key="why-evidence",
            column_config={name: st.column_config.TextColumn(width=width) for name, width in _WIDTHS.items()},
            alt="What speaks for and against each explanation, with the numbers",
        )
    st.caption(_HOW_DECIDED)
    return active


def _experiment(experiment: Experiment) -> bool:
    """Draw what to train next, and how far it is; return whether it is being trained."""
    plan = plan_of(experiment.configs)
    st.markdown(f"**What would decide.** {experiment.sentence}")
    button, state = st.columns([2, 3], vertical_alignment="center")
    button.button(
        "Look at it" if not plan.missing else experiment.label,
        key="why-experiment",
        on_click=_begin,
        args=(experiment.configs,),
        icon=":material/visibility:" if not plan.missing else ":material/science:",
        type="primary",
        help="Queues what is not trained yet, and then every page looks at the first of: "
        f"{listed([config.title for config in experiment.configs])}.",
    )
    if plan.active:
        state.caption(f"It is {STATE_WORDS[RunState.RUNNING]} or {STATE_WORDS[RunState.QUEUED]}.")
    elif not plan.missing:
        state.caption(f"It is {STATE_WORDS[RunState.DONE]}.")
    return bool(plan.active)


@url.saying_why_not
def _begin(configs: Sequence[RunConfig]) -> None:
    run_ids = [engine().submit(config) for config in configs]
    look_at(run_ids[0])
