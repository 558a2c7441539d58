"""The fields that describe a graph to train on: which one, its split, its features, and what is changed."""

import streamlit as st

from gnnviz.config import MAX_SEED
from gnnviz.datasets import (
    NORMALISATIONS,
    SPLITS,
    DatasetSpec,
    available_splits,
    dataset_names,
    dataset_record,
    pinned,
)
from gnnviz.edits import EDITS, Edit
from gnnviz.parameters import Parameter
from pages.shared.fields import pick_records, real, select, select_record, whole

EDIT_SEED = "edit_seed"


def data_fields(normalisation: str) -> DatasetSpec:
    """Draw the fields and return the graph that they describe.

    Args:
        normalisation: of the features, as the recipe wants it.

    Raises:
        DatasetError: a dataset or split that cannot be loaded.
    """
    names = list(dataset_names())
    hint = "\n\n".join(f"**{dataset_record(name).label}**: {dataset_record(name).help}" for name in names)
    name = select("data", names, "cora", "Graph", lambda key: dataset_record(key).label, hint)
    splits = available_splits(name)
    split = select_record("split", SPLITS, splits[0], "Split", splits)
    seed = 0
    if SPLITS[split].seeded:
        seed = whole("split_seed", 0, MAX_SEED, 0, "Seed of the split", "Decides which nodes are drawn.")
    parameters = dataset_record(name).parameters
    chosen = {field: _amount(field, parameter) for field, parameter in parameters.items()}
    features = select_record("norm", NORMALISATIONS, normalisation, "Features")
    edits = edit_fields()
    homophily, signal = chosen.get("homophily"), chosen.get("signal")
    return pinned(DatasetSpec(name, split, seed, features, edits=edits, homophily=homophily, signal=signal))


def edit_fields() -> tuple[Edit, ...]:
    """Draw what is changed in the graph before any model sees it; return the changes in their order."""
    names = pick_records(
        "edits",
        EDITS,
        (),
        "Changes to the graph",
        "Made in this order, before any training.",
    )
    amounts = {name: _edit_amount(name) for name in names}
    seed = 0
    if any(EDITS[name].seeded for name in names):
        seed = whole(EDIT_SEED, 0, MAX_SEED, 0, "Seed of the changes", "Decides what is drawn by chance.")
    return tuple(Edit(name, amounts[name], seed if EDITS[name].seeded else 0) for name in names)


def data_defaults() -> dict[str, object]:
    """Return what the fields hold where nobody chose, by their keys."""
    parameters = dataset_record(st.session_state.data).parameters
    return {
        "data": "cora",
        "split": dataset_record(st.session_state.data).splits[0],
        "split_seed": 0,
        **edit_defaults(),
        **{name: parameter.default for name, parameter in parameters.items()},
    }


def edit_defaults() -> dict[str, object]:
    """Return what the fields of `edit_fields` hold where nobody chose, by their keys."""
    amounts = {f"edit_{name}": spec.amount.default for name, spec in EDITS.items() if spec.amount}
    return {"edits": [], EDIT_SEED: 0, **amounts}


def _edit_amount(name: str) -> float | None:
    parameter = EDITS[name].amount
    return None if parameter is None else _amount(f"edit_{name}", parameter, f"{EDITS[name].label}: ")


def _amount(key: str, parameter: Parameter, of: str = "") -> float:
    """Draw the field of one number of a dataset or a change."""
    label = of + (parameter.label.lower() if of else parameter.label)
    if parameter.whole:
        ends = int(parameter.smallest), int(parameter.largest), int(parameter.default)
        return whole(key, *ends, label, parameter.help)
    return real(key, parameter.smallest, parameter.largest, parameter.default, label, parameter.help)
