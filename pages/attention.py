"""What each attention head of a run looks at: at one node, in one layer, in all layers."""

import streamlit as st

from gnnviz.config import RunConfig
from gnnviz.engine.heads import attention_on, attention_shares, head_entropies
from gnnviz.figures.attention import CAVEAT, attention_star
from gnnviz.figures.attention_entropy import entropy_figure, entropy_overview
from gnnviz.figures.attention_findings import entropy_finding, layers_finding, share_finding
from gnnviz.figures.attention_matrix import head_matrix
from gnnviz.figures.layout import NARROW_SPACE
from gnnviz.figures.nodes import NodeTable
from gnnviz.models import MODELS
from pages.shared import url
from pages.shared.background import ask, graph, run_config
from pages.shared.components.plotly_chart import draw
from pages.shared.look import current_theme
from pages.shared.selection import NODE, RUN, live, pick_epoch, pick_run, search_node, take_click
from pages.shared.tour import link

MEAN = "mean"
_NOTHING_YET = (
    "Here stands, once a GAT or GATv2 is trained, how much each of its heads takes from each neighbour of a "
    "node, and whether it chooses among them or averages."
)


def page() -> None:
    """Draw the page."""
    run_id = pick_run(lambda config: MODELS[config.model.model].has_heads, key="run_with_heads")
    if run_id is None:
        st.header("No model with attention has been trained yet")
        st.caption(_NOTHING_YET)
        link("training", "Train a GAT", "Opens the recipe of the paper.", preset="velickovic")
        return
    config = run_config(run_id)
    headline = st.container()
    layer, head, epoch, node = _controls(run_id, config)
    url.publish(
        {
            RUN: run_id,
            "layer": layer,
            "head": st.session_state.head,
            "epoch": st.session_state.epoch,
            NODE: node,
        },
        {"layer": 1, "head": MEAN, "epoch": "best"},
    )
    with headline:
        live("headline", lambda: _headline(run_id, epoch, layer))
    live("node", lambda: _node(run_id, epoch, layer, head, node))
    live("heads", lambda: _heads(run_id, epoch, layer))


def _controls(run_id: str, config: RunConfig) -> tuple[int, int | None, int, int]:
    """Draw the controls; return layer, head (None: the mean of all), epoch and node."""
    depth = config.model.num_layers
    for_layer, for_head, for_epoch, for_node = st.columns([2, 3, 2, 3], vertical_alignment="bottom")
    url.whole("layer", 1, depth, 1, "The layer")
    layer = for_layer.number_input(
        "Layer", 1, depth, key="layer", persist_state="session",
        help="Every layer has heads of its own. The last one's outputs are averaged.",
    )  # fmt: skip
    makes_logits = layer == config.model.num_states
    heads = config.model.output_heads if makes_logits else config.model.heads
    options = [MEAN, *(str(number) for number in range(1, heads + 1))]
    url.choice("head", options, MEAN, "head")
    head = for_head.selectbox(
        "Head", options, key="head", persist_state="session",
        help="One set of attention coefficients, learned by itself. Mean: the average over the heads.",
    )  # fmt: skip
    with for_epoch:
        epoch = pick_epoch(run_id)
    with for_node:
        node = search_node(graph(config.dataset))
    return layer, None if head == MEAN else int(head) - 1, epoch, node


def _headline(run_id: str, epoch: int, layer: int) -> bool:
    """Draw the claim about the layer; return whether it is still being computed."""
    entropies = ask(head_entropies, run_id, epoch)
    st.header(entropy_finding(entropies[layer - 1], layer - 1) if entropies else "Reading the heads ...")
    return entropies is None


def _node(run_id: str, epoch: int, layer: int, head: int | None, node: int) -> bool:
    """Draw one node's inputs; return whether they are still being computed."""
    attention = ask(attention_on, run_id, epoch, layer, node)
    if attention is None:
        st.caption("Reading the coefficients ...")
        return True
    data = graph(run_config(run_id).dataset)
    nodes = NodeTable(data.y, data.class_names, names=data.node_names)
    star, matrix = st.columns([3, 2], gap="large")
    with star:
        draw(
            attention_star(attention, nodes, current_theme(), head=head),
            "star",
            on_click=lambda: take_click("star"),
        )
        st.caption(
            "How to read it: the node in the middle takes a weighted sum of its inputs, itself included; the "
            "wider and stronger a line, the larger the coefficient. Each head's coefficients sum to "
            f"100{NARROW_SPACE}%. Click an input to go there."
        )
    with matrix:
        draw(head_matrix(attention, nodes, current_theme()), "matrix", on_click=lambda: take_click("matrix"))
        st.caption("How to read it: a column is a head, a row an input; the stronger, the more attention.")
    st.info(CAVEAT, icon=":material/psychology_alt:")
    link(
        "embeddings",
        "This node in the embedding",
        "The same node among all others.",
        run=run_id,
        node=str(node),
    )
    return False


def _heads(run_id: str, epoch: int, layer: int) -> bool:
    """Draw how selective the heads are; return whether that is still being computed."""
    entropies = ask(head_entropies, run_id, epoch)
    if entropies is None:
        return True
    st.subheader(layers_finding(entropies))
    shares = ask(attention_shares, run_id, epoch, layer)
    if shares:
        st.markdown(f"In layer {layer}, {share_finding(shares.itself, 'the node itself')}")
    if shares and shares.same_class:
        st.markdown(f"In layer {layer}, {share_finding(shares.same_class, 'neighbours of the same class')}")
    one, every = st.columns(2, gap="large")
    with one:
        draw(
            entropy_figure(
                entropies[layer - 1], current_theme(), layer=layer - 1, title=f"Each head of layer {layer}"
            ),
            "entropy",
            on_click=lambda: take_click("entropy"),
        )
        st.caption(
            "How to read it: the entropy of a head's coefficients at a node, as a share of what uniform "
            f"attention would have. 100{NARROW_SPACE}%: the head does not choose; 0{NARROW_SPACE}%: it looks "
            "at one input. A dot is a node; click one to go there."
        )
    with every:
        draw(entropy_overview(entropies, current_theme(), title="All layers and heads"), "overview")
        st.caption(
            "How to read it: a row is a layer, a column a head; strong cells choose, faint ones average."
        )
    return shares is None


page()
