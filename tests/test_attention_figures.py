"""Attention figures: what is drawn is what was computed, and the sentences say no more than that."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from gnnviz.attention import NodeAttention, RelativeEntropy, Share
from gnnviz.figures.attention import CAVEAT, STAR_INPUTS, attention_star
from gnnviz.figures.attention_entropy import DOTS, entropy_figure, entropy_overview
from gnnviz.figures.attention_findings import (
    entropy_finding,
    heads_finding,
    layers_finding,
    node_finding,
    share_finding,
)
from gnnviz.figures.attention_inputs import full_ink
from gnnviz.figures.attention_matrix import MATRIX_ROWS, head_matrix
from gnnviz.figures.nodes import NodeTable
from gnnviz.figures.theme import DARK, LIGHT, Theme, class_colours

SPACE = "\u202f"


def attention(columns: list[list[float]], node: int = 5) -> NodeAttention:
    """Inputs 10, 11, ... and, second strongest, the node itself; one column per head."""
    coefficients = np.array(columns).T
    sources = np.arange(10, 10 + len(coefficients))
    sources[1] = node
    return NodeAttention(node, sources, coefficients)


def names(of: NodeAttention) -> list[str]:
    return [f"node {source}" for source in of.sources]


def hub(inputs: int, heads: int = 2) -> NodeAttention:
    scores = np.random.default_rng(0).dirichlet(np.full(inputs, 0.3), size=heads).T
    order = np.argsort(-scores.mean(axis=1))
    return NodeAttention(0, np.random.default_rng(1).permutation(inputs), scores[order])


def relative(*medians: float, nodes: int = 3, left_out: int = 0) -> RelativeEntropy:
    return RelativeEntropy(np.arange(nodes), np.full(nodes, 4), np.tile(medians, (nodes, 1)), left_out)


def data(figure: go.Figure) -> list[dict]:
    return json.loads(go.Figure(figure).to_json(engine="json"))["data"]


def traces(figure: go.Figure, mode: str) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.type == "scatter" and trace.mode == mode]


def text_of(figure: go.Figure) -> str:
    return figure.layout.title.text.replace("<br>", " ")


MIXED = attention([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]])
ALONE = NodeAttention(5, np.array([5]), np.ones((1, 3)))
NOTHING = RelativeEntropy(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 2)), left_out=7)
TABLE = NodeTable(np.array([0, 1] * 10), ("even", "odd"))


@pytest.mark.parametrize(
    ("columns", "head", "expected"),
    [
        ([[0.1, 0.82, 0.08]], 0, "Head 1 looks almost only at the node itself: 82.0 % of its attention."),
        (
            [[0.34, 0.33, 0.33]],
            0,
            "Head 1 spreads its attention almost evenly over 3 inputs: 33.0 % to 34.0 % each.",
        ),
        (
            [[0.0, 0.0, 1.0], [0.6, 0.2, 0.2]],
            1,
            "Head 2 gives most of its attention to node 10: 60.0 %; uniform attention would give 33.3 %.",
        ),
        (
            [[0.45, 0.45, 0.1], [0.45, 0.45, 0.1]],
            None,
            "The mean of 2 heads looks most at node 10: 45.0 %; uniform attention would give 33.3 %.",
        ),
        (
            [[0.2, 0.6, 0.2]],
            None,
            "The only head gives most of its attention to the node itself: 60.0 %; "
            "uniform attention would give 33.3 %.",
        ),
    ],
)
def test_sentence_about_a_node(columns: list[list[float]], head: int | None, expected: str) -> None:
    found = attention(columns)
    assert node_finding(found, names(found), head).replace(SPACE, " ") == expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([[0.6, 0.2, 0.2]] * 3, "All 3 heads look most at node 10."),
        (
            [[0.6, 0.2, 0.2], [0.2, 0.6, 0.2], [0.2, 0.6, 0.2]],
            "2 of 3 heads look most at the node itself, the other one elsewhere.",
        ),
        ([[0.6, 0.2, 0.2], [0.2, 0.6, 0.2]], "Each of the 2 heads looks most at another input."),
        (
            [[0.5, 0.5], [0.5001, 0.4999]],
            "All 2 heads are close to uniform here: entropy at least 99.9 % of the maximum.",
        ),
    ],
)
def test_sentence_about_heads(columns: list[list[float]], expected: str) -> None:
    found = attention(columns)
    assert heads_finding(found, names(found)).replace(SPACE, " ") == expected


@pytest.mark.parametrize(
    ("medians", "expected"),
    [
        ([0.97], "Attention of layer 1 is close to uniform: median entropy 97.0 % of the maximum."),
        (
            [0.9996, 0.9999],
            "Attention of layer 1 is close to uniform in all 2 heads: "
            "median entropy at least 99.9 % of the maximum.",
        ),
        (
            [0.9, 0.4],
            "Head 2 of layer 1 selects most: median entropy 40.0 % of the maximum, "
            "up to 90.0 % in other heads.",
        ),
        ([0.5, 0.51], "All 2 heads of layer 1 select equally: median entropy 50.0 to 51.0 % of the maximum."),
    ],
)
def test_sentence_about_a_layer(medians: list[float], expected: str) -> None:
    assert entropy_finding(relative(*medians), 0).replace(SPACE, " ") == expected


def test_sentence_about_layers() -> None:
    sentence = layers_finding([relative(0.9, 0.8), relative(0.5), relative(0.99)]).replace(SPACE, " ")
    assert sentence == "Layer 2 selects most: median entropy 50.0 % of the maximum; layer 3 least: 99.0 %."
    assert "uniform in both layers" in layers_finding([relative(0.96), relative(0.97)])
    assert "uniform in all 3 layers" in layers_finding([relative(0.96)] * 3)
    assert layers_finding([relative(0.5), relative(0.5)]).startswith("Both layers select equally")


def test_sentence_about_a_share() -> None:
    share = Share(np.array([0.5, 0.3]), uniform=0.25, num_nodes=4, left_out=0)
    sentence = share_finding(share, "the node itself").replace(SPACE, " ")
    assert sentence == (
        "40.0 % of attention is on the node itself, more than uniform attention would put there (25.0 %)."
    )
    assert "about as much" in share_finding(Share(np.array([0.26]), 0.25, 4, 0), "the node itself")


def test_uniform_attention_is_in_the_middle_of_the_scale() -> None:
    assert full_ink(attention([[0.25] * 4])) == 0.5
    assert full_ink(attention([[0.7, 0.1, 0.1, 0.1]])) == 0.7
    assert full_ink(ALONE) == 1.0


def test_star_draws_lines_as_wide_as_the_attention() -> None:
    figure = attention_star(MIXED, TABLE, LIGHT, head=0)
    *lines, uniform = [trace.line.width for trace in traces(figure, "lines")]
    weak, strong = sorted(lines)
    # 0.25, 1/3 and 0.5 of the node's largest coefficient, 0.8 in head 2, on one straight scale.
    assert (strong - weak) / 0.25 == pytest.approx((strong - uniform) / (0.5 - 1 / 3))
    again = attention_star(MIXED, TABLE, LIGHT, head=1)
    others = [trace.line.width for trace in traces(again, "lines")[:-1]]
    assert others == pytest.approx([weak - (strong - weak) * 0.6] * 2)  # 0.1 each, on the same scale


def test_star_keeps_every_node_in_place_from_head_to_head() -> None:
    def places(head: int | None) -> dict[int, tuple[float, float]]:
        figure = attention_star(hub(60), NodeTable(None), LIGHT, head=head)
        return {
            cell[0]: (x, y)
            for trace in traces(figure, "markers")
            if trace.customdata is not None
            for cell, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)
        }

    assert places(0) == places(1) == places(None)


def test_star_has_ids_names_and_class_colours() -> None:
    figure = attention_star(MIXED, TABLE, DARK)
    colours = class_colours([10, 10], DARK).colours
    found = {
        cell[0]: trace.marker.color
        for trace in traces(figure, "markers")
        if trace.customdata is not None
        for cell in trace.customdata
    }
    assert found == {5: colours[1], 10: colours[0], 12: colours[0]}
    labels = [note.text.replace(SPACE, " ") for note in figure.layout.annotations]
    assert "node 10<br><b>30.0 %</b>" in labels
    assert "node 5: itself <b>52.5 %</b>" in labels


def test_star_of_a_hub_draws_the_strongest_and_counts_the_rest() -> None:
    found = hub(100)
    figure = attention_star(found, NodeTable(None), LIGHT, head=1)
    drawn = {
        cell[0]
        for trace in traces(figure, "markers")
        if trace.customdata is not None
        for cell in trace.customdata
    }
    assert len(drawn) == STAR_INPUTS + 1
    assert 0 in drawn
    hidden = [place for place, source in enumerate(found.sources) if source not in drawn]
    note = figure.layout.title.subtitle.text.replace("<br>", " ").replace(SPACE, " ")
    together = 100 * found.coefficients[hidden, 1].sum()
    assert note == (f"The 41 strongest of 100 inputs are drawn; the other 59 have {together:.1f} % together.")
    strongest_hidden = found.coefficients[hidden].max()
    shown = [place for place, source in enumerate(found.sources) if source in drawn and source != 0]
    assert found.coefficients[shown].max(axis=1).min() >= strongest_hidden


def test_matrix_shows_every_coefficient_and_marks_uniform() -> None:
    figure = head_matrix(MIXED, TABLE, LIGHT)
    heatmap, printed = figure.data
    np.testing.assert_allclose(heatmap.z, 100 * MIXED.coefficients)
    assert [row[0][0] for row in heatmap.customdata] == [10, 5, 12]
    assert list(printed.text) == ["50.0", "10.0", "25.0", "80.0", "25.0", "10.0"]
    assert (heatmap.zmin, heatmap.zmax) == (0, 80)
    assert heatmap.colorbar.tickvals[0] == pytest.approx(100 / 3)
    assert heatmap.colorbar.ticktext[0].replace(SPACE, " ") == "uniform 33.3 %"
    assert "<b>itself</b>" in figure.layout.yaxis.ticktext[1]


def test_matrix_of_a_hub_is_cut_in_words_and_many_heads_are_not_printed() -> None:
    figure = head_matrix(hub(60, heads=9), NodeTable(None), LIGHT)
    assert len(figure.data) == 1
    assert np.shape(figure.data[0].z) == (MATRIX_ROWS, 9)
    assert figure.layout.title.subtitle.text.startswith(f"The {MATRIX_ROWS} strongest of 60 inputs")


def test_isolated_node_is_drawn_with_all_attention_on_itself() -> None:
    star = attention_star(ALONE, NodeTable(None), LIGHT, head=0)
    assert traces(star, "lines") == []
    assert (
        text_of(star).replace(SPACE, " ") == "Node 5 has no neighbour: 100.0 % of its attention is on itself."
    )
    matrix = head_matrix(ALONE, NodeTable(None), LIGHT)
    assert text_of(matrix) == text_of(star)
    np.testing.assert_array_equal(matrix.data[0].z, [[100, 100, 100]])


def test_entropy_boxes_hold_the_quartiles_and_dots_are_nodes() -> None:
    rng = np.random.default_rng(2)
    values = rng.uniform(size=(200, 3))
    found = RelativeEntropy(np.arange(200) + 1000, np.full(200, 4), values, left_out=12)
    figure = entropy_figure(found, LIGHT, layer=1)
    box, *dots = figure.data
    for drawn, expected in zip((box.q1, box.median, box.q3), found.quartiles(), strict=True):
        np.testing.assert_allclose(drawn, 100 * expected)
    assert len(dots) == 3
    for head, trace in enumerate(dots):
        assert len(trace.x) == DOTS
        np.testing.assert_allclose(trace.x, 100 * values[np.array(trace.customdata)[:, 0] - 1000, head])
    assert "12 left out" in figure.layout.title.subtitle.text.replace("<br>", " ")
    assert figure.layout.xaxis.range == (-2, 102)


def test_node_ids_reach_the_browser_as_plain_lists() -> None:
    for figure in (
        attention_star(MIXED, TABLE, LIGHT),
        head_matrix(MIXED, TABLE, LIGHT),
        entropy_figure(relative(0.5, 0.6), LIGHT, layer=0),
    ):
        rows = [row for trace in data(figure) for row in trace.get("customdata", [])]
        assert rows
        for row in rows:
            first = row[0][0] if isinstance(row[0], list) else row[0]
            assert isinstance(first, int)


def test_dots_stand_for_equal_parts_of_the_nodes() -> None:
    found = RelativeEntropy(np.arange(100), np.full(100, 4), np.arange(100)[:, None] / 100, left_out=0)
    np.testing.assert_allclose(entropy_figure(found, LIGHT, layer=0).data[1].x, np.arange(2, 100, 4))


def test_overview_leaves_absent_heads_empty() -> None:
    figure = entropy_overview([relative(0.9, 0.8), relative(0.5)], LIGHT)
    heatmap, printed = figure.data
    np.testing.assert_allclose(heatmap.z, [[90, 80], [50, np.nan]])
    assert list(printed.text) == ["90.0", "80.0", "50.0"]
    assert heatmap.customdata is None  # a click on it names no node


def test_without_any_choice_there_is_a_titled_empty_figure() -> None:
    for figure in (
        entropy_figure(NOTHING, LIGHT, layer=0),
        entropy_overview([NOTHING, NOTHING], LIGHT),
        entropy_overview([], LIGHT),
    ):
        assert len(figure.data) == 0
        assert figure.layout.title.text
        assert figure.layout.meta["alt"]
    assert "no node has a neighbour" in text_of(entropy_figure(NOTHING, LIGHT, layer=0))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_every_figure_can_be_read_and_has_words(theme: Theme) -> None:
    figures = [
        attention_star(hub(60), NodeTable(None), theme),
        head_matrix(hub(60), NodeTable(None), theme),
        entropy_figure(relative(0.5, 0.6), theme, layer=0),
        entropy_overview([relative(0.5, 0.6)], theme),
    ]
    for figure in figures:
        assert figure.layout.meta["alt"].startswith(text_of(figure))
        assert figure.layout.height >= 200
        layout = figure.to_dict()["layout"]
        assert min(sizes(layout) + sizes(data(figure))) >= 14
        for trace in traces(figure, "markers"):
            assert np.min(trace.marker.size) >= 6


def sizes(part: object) -> list[float]:
    """Return the sizes of all fonts anywhere in a figure's JSON, its template left out."""
    if isinstance(part, list | tuple):
        return [size for item in part for size in sizes(item)]
    if not isinstance(part, dict):
        return []
    found = [size for key, item in part.items() if key != "template" for size in sizes(item)]
    fonts = [part[key] for key in part if key.endswith("font") and isinstance(part[key], dict)]
    return found + [font["size"] for font in fonts if "size" in font]


def test_title_can_be_given() -> None:
    assert text_of(attention_star(MIXED, TABLE, LIGHT, title="A title.")) == "A title."


def test_caveat_names_its_paper() -> None:
    assert "Jain & Wallace, NAACL 2019" in CAVEAT
