"""Published accuracies: they are the printed ones, each with its source, and are drawn with their warning."""

from itertools import pairwise

import pytest

from gnnviz.datasets import DatasetSpec
from gnnviz.edits import Edit
from gnnviz.figures.depth import accuracy_against_depth
from gnnviz.figures.depth_points import DepthPoint
from gnnviz.figures.layout import Chance
from gnnviz.figures.theme import LIGHT
from gnnviz.models import MODELS, ModelConfig
from gnnviz.published import PUBLISHED, closest, compares_with, split_warning
from gnnviz.remedies import Remedies

CHANCE = Chance(0.319, 1 / 7)


def figure(names, *depths, models=("gcn",)):
    points = [DepthPoint(depth, (0.5,), model=model) for model in models for depth in depths]
    rows = [PUBLISHED[name] for name in names]
    return accuracy_against_depth(
        points, LIGHT, title="", expected_depths=depths, chance=CHANCE, published=rows
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_row_has_a_source_and_fits_the_registries(name):
    row = PUBLISHED[name]
    assert "README" in row.source
    assert row.note.startswith("tuned")
    assert row.model in MODELS
    assert set(row.remedies) <= set(Remedies.__slots__)
    depths = [depth for depth, _ in row.accuracies]
    assert depths == sorted(set(depths))
    assert all(depth in (2, 4, 8, 16, 32, 64) for depth in depths)
    assert all(0.28 < accuracy < 0.9 for _, accuracy in row.accuracies)


def test_the_row_of_plain_gcn_is_the_printed_one():
    depths, accuracies = zip(*PUBLISHED["gcn"].accuracies, strict=True)
    assert depths == (2, 4, 8, 16, 32, 64)
    assert accuracies == pytest.approx((0.811, 0.804, 0.695, 0.649, 0.603, 0.287))
    assert dict(PUBLISHED["resgcn"].accuracies)[4] == pytest.approx(0.788)
    assert 2 not in dict(PUBLISHED["resgcn"].accuracies)  # nothing is printed there


@pytest.mark.parametrize(
    ("model", "rows"),
    [
        (ModelConfig("gcn", 4), ("gcn",)),
        (ModelConfig("gcn", 4, remedies=Remedies(drop_edge=0.3)), ("gcn_drop_edge",)),
        (
            ModelConfig("gcn", 4, remedies=Remedies(residual="plain", drop_edge=0.3)),
            ("resgcn_drop_edge",),
        ),
        (ModelConfig("gcn", 4, remedies=Remedies(jumping="max")), ("jknet",)),
        (ModelConfig("gcn", 4, remedies=Remedies(norm="pair")), ("gcn",)),
        (ModelConfig("gcn", 4, remedies=Remedies(residual="initial")), ("gcn",)),  # ResGCN's is another
        (ModelConfig("gcnii", 4), ("gcnii_64", "gcnii_32")),
        (ModelConfig("sage", 4), ()),
    ],
)
def test_the_nearest_row_has_the_same_remedies_or_none(model, rows):
    assert closest(model) == rows


def test_only_cora_as_it_is_can_be_compared_and_the_split_is_told():
    assert compares_with(DatasetSpec("cora"))
    assert not compares_with(DatasetSpec("karate", "leaders"))
    assert not compares_with(DatasetSpec("cora", edits=(Edit("virtual_node"),)))
    assert "whose nodes are not those of the split here" in split_warning(DatasetSpec("cora"))
    assert "are on the same split as here" in split_warning(DatasetSpec("cora", "public"))
    assert "tuned anew for each depth" in split_warning(DatasetSpec("cora"))


def test_marks_stand_at_their_numbers_where_the_axis_has_room_and_name_their_source():
    drawn = figure(["gcn"], 2, 4, 8)
    (row,) = [trace for trace in drawn.data if trace.name.startswith("published")]
    assert row.x == (2, 4, 8)
    assert row.y == pytest.approx((81.1, 80.4, 69.5))
    assert row.marker.symbol.endswith("-open")
    told = row.hovertemplate.replace("<br>", " ")
    assert "README of its code" in told
    assert "tuned anew for each depth" in told
    assert "GCN<br>(published)" in [note.text for note in drawn.layout.annotations]
    assert drawn.layout.margin.r > figure([], 2, 4, 8).layout.margin.r


def test_a_row_without_a_depth_on_the_axis_is_not_drawn():
    assert not [trace for trace in figure(["gcnii_64"], 2, 4, 8).data if "published" in trace.name]


def test_names_of_models_and_rows_keep_apart():
    drawn = figure(["gcn", "gcn_drop_edge"], 2, 4, 8, models=("gcn", "sage"))
    names = {"GCN", "GraphSAGE", "GCN<br>(published)", "GCN + DropEdge<br>(published)"}
    heights = sorted(note.y for note in drawn.layout.annotations if note.text in names)
    assert len(heights) == 4
    assert min(b - a for a, b in pairwise(heights)) >= 11.9


def test_all_rows_at_once_still_fit():
    heights = [
        note.y for note in figure(list(PUBLISHED), 2, 64).layout.annotations if "published" in note.text
    ]
    assert len(heights) == len(PUBLISHED)
    assert 0 <= min(heights) <= max(heights) <= 100
