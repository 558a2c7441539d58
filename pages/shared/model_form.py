"""The fields that describe a model: its remedies, and what the chosen kind of layer can be told."""

from collections.abc import Sequence

import streamlit as st

from gnnviz.models import MAX_CHANNELS, MAX_OUTPUT_HEADS, MODELS, ModelConfig, ModelSpec, divisors
from gnnviz.remedies import REMEDIES, Remedies, combined, compatible, first_of_each_kind, fitting
from gnnviz.sweeps import MOST_HEADS, usual_heads
from pages.shared import url
from pages.shared.fields import choose, pick_records, real, select, share, switch, take_records, whole

# What a choice is called, and what it means, by the field and its value.
_NORMALISATIONS = {
    "sym": "symmetric: by both degrees (Kipf & Welling)",
    "row": "row: the plain average",
    "sum": "none: the plain sum, which grows with depth",
}
_AGGREGATORS = {
    "mean": "mean of the neighbours",
    "gcn": "mean of neighbours and self, one map",
    "max": "greatest value",
    "pool": "greatest value after a small MLP",
    "lstm": "LSTM over a random order",
}
_FORMS = {"sparse": "over the edges", "dense": "over all pairs, masked"}
_DROPOUT_PLACES = {"inputs": "every layer's input", "between": "hidden states only"}
_ACTIVATIONS = {"relu": "ReLU", "elu": "ELU"}


def remedy_field(model: str, depth: int) -> tuple[str, ...]:
    """Draw the choice of remedies that this model and depth can have; return their keys."""
    return pick_remedies("remedies", fitting(MODELS[model].remedies, depth))


def pick_remedies(key: str, names: Sequence[str]) -> tuple[str, ...]:
    """Draw the choice among some remedies and return the chosen keys.

    Args:
        key: of the widget, and its name in the address.
        names: keys of `REMEDIES` that the model in question can have.
    """
    take_records(key, names, (), "remedy")
    chosen = first_of_each_kind(st.session_state[key])
    if chosen != tuple(st.session_state[key]):
        url.complain(f"Of remedies that exclude one another the first is kept: {', '.join(chosen)}.")
        st.session_state[key] = list(chosen)
    hint = "What excludes a chosen one is not offered."
    return pick_records(key, REMEDIES, (), "Remedies for depth", hint, compatible(names, chosen))


def model_fields(recipe: ModelConfig, remedies: tuple[str, ...], *, needs_head: bool) -> ModelConfig:
    """Draw the details of the model and return it.

    Args:
        recipe: what fields hold at first.
        remedies: keys of `REMEDIES` that are switched on.
        needs_head: whether a linear layer must come after the last graph layer.

    Raises:
        ConfigError: a combination of values that cannot be built.
    """
    spec = MODELS[st.session_state.model]
    values = _layer_fields(spec, recipe)
    dropout = share(
        "dropout",
        recipe.dropout,
        "Dropout",
        "Share of values that are hidden at random in each training step.",
    )
    dropout_on = choose(
        "dropout_on", _DROPOUT_PLACES, recipe.dropout_on, "Dropout on",
        "Kipf & Welling hide input words, too; the course notes' code only hides hidden states.",
    )  # fmt: skip
    bias = switch("bias", recipe.bias, "Bias", "Whether layers add a number of their own to every channel.")
    return ModelConfig(
        model=st.session_state.model,
        num_layers=st.session_state.depth,
        dropout=dropout,
        dropout_on=dropout_on,  # pyright: ignore[reportArgumentType]
        bias=bias,
        remedies=_with_details(combined(remedies), needs_head and not spec.has_head),
        **values,  # pyright: ignore[reportArgumentType]
    )


def model_defaults(recipe: ModelConfig) -> dict[str, object]:
    """Return what the recipe says of each field, by the field's key."""
    return {
        "hidden": recipe.hidden_channels,
        "heads": str(recipe.heads),
        "out_heads": recipe.output_heads,
        "att_dropout": recipe.attention_dropout,
        "slope": recipe.negative_slope,
        "out_elu": _written(recipe.output_elu),
        "attention_form": recipe.attention_form,
        "gcn_norm": recipe.normalisation,
        "aggregator": recipe.aggregator,
        "unit": _written(recipe.unit_length),
        "alpha": recipe.alpha,
        "theta": recipe.theta,
        "dropout": recipe.dropout,
        "dropout_on": recipe.dropout_on,
        "activation": recipe.activation,
        "bias": _written(recipe.bias),
        "remedies": [],
        "drop_edge": REMEDIES["drop_edge"].remedies.drop_edge,
        "residual_share": Remedies().residual_share,
        "norm_scale": Remedies().norm_scale,
    }


def _written(value: bool) -> str:
    return "yes" if value else "no"


def _layer_fields(spec: ModelSpec, recipe: ModelConfig) -> dict[str, object]:
    """Draw the fields that only some models have; return the values by their names in `ModelConfig`."""
    values: dict[str, object] = {}
    if "hidden_channels" in spec.takes:
        values["hidden_channels"] = whole(
            "hidden", 1, MAX_CHANNELS, recipe.hidden_channels, "Hidden channels",
            "Width of every hidden layer; attention heads share it.",
        )  # fmt: skip
        values["activation"] = choose(
            "activation", _ACTIVATIONS, recipe.activation, "Activation",
            "The function between the layers. ReLU cuts negative values off; ELU bends them towards -1.",
        )  # fmt: skip
    if "normalisation" in spec.takes:
        values["normalisation"] = choose(
            "gcn_norm", _NORMALISATIONS, recipe.normalisation, "Normalisation",
            "How a node's sum over itself and its neighbours is scaled. (Kipf & Welling, ICLR 2017, eq. 2)",
        )  # fmt: skip
    if "aggregator" in spec.takes:
        values["aggregator"] = choose(
            "aggregator", _AGGREGATORS, recipe.aggregator, "Aggregator",
            "How neighbours are put together. (Hamilton, Ying & Leskovec, NeurIPS 2017, section 3.3)",
        )  # fmt: skip
        values["unit_length"] = switch(
            "unit", recipe.unit_length, "Rows of length 1", "Scales each node's hidden state to length 1."
        )
    if spec.has_heads:
        values.update(_attention_fields(spec, recipe, int(st.session_state.hidden)))
    if "alpha" in spec.takes:
        values["alpha"] = real(
            "alpha", 0.01, 0.99, recipe.alpha, "Alpha", "Share of the first state in every layer."
        )
    if "theta" in spec.takes:
        values["theta"] = real(
            "theta", 0.01, 10.0, recipe.theta, "Theta",
            "Layer l weighs its linear map by log(theta / l + 1): the deeper, the closer to doing nothing.",
        )  # fmt: skip
    return values


def _attention_fields(spec: ModelSpec, recipe: ModelConfig, hidden: int) -> dict[str, object]:
    """Draw what only attention has."""
    dividing = [number for number in divisors(hidden) if number <= MOST_HEADS]
    usual = recipe.heads if recipe.heads in dividing and recipe.heads > 1 else usual_heads(hidden)
    heads = select(
        "heads", [str(number) for number in dividing], str(usual), "Heads", str,
        "Attention heads of each hidden layer. Each is hidden channels / heads wide: only divisors are here.",
    )  # fmt: skip
    values: dict[str, object] = {
        "heads": int(heads),
        "output_heads": whole(
            "out_heads", 1, MAX_OUTPUT_HEADS, recipe.output_heads, "Output heads",
            "Heads of the last layer, averaged.",
        ),
        "attention_dropout": share(
            "att_dropout", recipe.attention_dropout, "Attention dropout",
            "Share of attention coefficients that are hidden in each training step.",
        ),
        "negative_slope": share(
            "slope", recipe.negative_slope, "LeakyReLU slope", "Below zero, in the attention scores."
        ),
        "output_elu": switch(
            "out_elu", recipe.output_elu, "ELU on the logits", "As in the course notes' code."
        ),
    }  # fmt: skip
    if "attention_form" in spec.takes:
        values["attention_form"] = choose(
            "attention_form", _FORMS, recipe.attention_form, "Computed",
            "Both give the same numbers; over all pairs it needs memory for N x N coefficients a head.",
        )  # fmt: skip
    return values


def _with_details(remedies: Remedies, add_head: bool) -> Remedies:
    """Draw the numbers that the chosen remedies have, and return them with these."""
    values: dict[str, object] = dict(remedies.changed())
    if remedies.drop_edge:
        values["drop_edge"] = share(
            "drop_edge", remedies.drop_edge, "DropEdge", "Share of the edges left out of each training step."
        )
    if remedies.residual == "initial":
        values["residual_share"] = real(
            "residual_share", 0.01, 0.99, remedies.residual_share, "Initial residual",
            "Share of the first hidden state in every later one.",
        )  # fmt: skip
    if remedies.norm in ("pair", "pair_si"):
        values["norm_scale"] = real(
            "norm_scale", 0.01, 1000.0, remedies.norm_scale, "PairNorm's scale",
            "The root mean square of a node's distance from the mean.",
        )  # fmt: skip
    if add_head and not remedies.has_head:
        values["post_layers"] = 1
    return Remedies(**values)  # pyright: ignore[reportArgumentType]


def explained(remedies: Sequence[str]) -> str:
    """Return what the chosen remedies do, each with its paper, as Markdown."""
    return "  \n".join(
        f"**{REMEDIES[name].label}**: {REMEDIES[name].help} ({REMEDIES[name].paper})" for name in remedies
    )
