"""The depth cursor: frames on one scale, cosines, stamps from METRICS, and the record that is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from engine_probe import small_run, undisturbed
from toy_graph import plain

from gnnviz.config import RunConfig
from gnnviz.cursor import (
    CursorFrames,
    FrameSource,
    TsneFrame,
    alike_share,
    cursor_frames,
    cursor_measures,
    drawn_nodes,
    one_per_depth,
    spread_of,
    tsne_points,
)
from gnnviz.datasets import DatasetSpec, load_spec
from gnnviz.engine import cursor as engine_cursor
from gnnviz.engine.analyses import hidden_states
from gnnviz.engine.cursor import depth_frames, layer_frames, tsne_frame
from gnnviz.engine.summaries import best_epoch
from gnnviz.errors import ConfigError
from gnnviz.figures.cursor import cursor_scene, empty_cursor
from gnnviz.figures.cursor_curves import accuracy_curve, measure_curve
from gnnviz.figures.cursor_words import cursor_finding, frame_stamp, hidden_finding
from gnnviz.figures.layout import Chance, significant
from gnnviz.figures.nodes import NodeTable
from gnnviz.figures.theme import DARK, LIGHT
from gnnviz.models import ModelConfig
from gnnviz.profiles import Measurement
from gnnviz.runs import RunStore
from gnnviz.smoothing import METRICS

KARATE = load_spec(DatasetSpec("karate", "leaders"))
N = KARATE.num_nodes
TURN = np.array([[0.0, 1.0], [-1.0, 0.0]])
STATE = np.random.default_rng(0).normal(size=(N, 2)) * [3.0, 1.0]
NAMES = ("rayleigh_sym", "mad", "effective_rank")


def frames_of(*states, predictions=None, places=None) -> CursorFrames:
    predicted = predictions or [KARATE.y] * len(states)
    sources = [FrameSource("0" * 16, 0, place) for place in range(1, len(states) + 1)]
    return cursor_frames(sources, places or range(1, len(states) + 1), states, predicted, KARATE, NAMES)


def scene_of(frames, tsne=(), theme=LIGHT, over="depths"):
    nodes = NodeTable(KARATE.y, KARATE.class_names, names=KARATE.node_names)
    return cursor_scene(frames, tsne, nodes, theme, over=over, model="gcn", chance=Chance(0.6, 0.5))


def test_each_frame_is_turned_onto_the_one_before():
    mirrored = STATE @ TURN * [1.0, -1.0]
    frames = frames_of(STATE, STATE @ TURN, mirrored, 5 * STATE)
    for later in frames.points[1:]:
        assert later == pytest.approx(frames.points[0], abs=1e-5)


def test_the_scale_is_shared_and_in_units_of_the_rows_length():
    drift = np.array([100.0, 0.0])
    frames = frames_of(STATE, STATE + drift)
    length = np.sqrt(np.mean(np.sum((STATE + drift) ** 2, axis=1)))
    apart = np.linalg.norm(STATE[0] - STATE[1]) / length
    assert np.linalg.norm(frames.points[1][0] - frames.points[1][1]) == pytest.approx(apart, rel=1e-4)
    assert spread_of(frames.points[0]) > 20 * spread_of(frames.points[1])
    beyond = np.abs(frames.points).max(axis=2) > frames.limit
    assert 0 < beyond.sum() <= 0.011 * 2 * N + 1
    cloud = scene_of(frames).clouds[0]
    assert cloud.limit == frames.limit
    assert cloud.positions.dtype == np.float32
    assert cloud.positions.shape == (2, N, 2)


def test_histograms_count_every_pair_of_live_rows_once():
    half_dead = np.where(np.arange(N)[:, None] < 10, 0.0, STATE)
    frames = frames_of(STATE, half_dead)
    assert [cosines.counts.sum() for cosines in frames.cosines] == [N * (N - 1) // 2, 24 * 23 // 2]
    scene = scene_of(frames)
    assert scene.histogram is not None
    assert [sum(counts) for counts in scene.histogram.counts] == [561, 276]
    assert scene.histogram.notes == ("561 pairs.", "276 pairs; 10 nodes without a signal are in none.")


def test_alike_pairs_are_those_with_a_cosine_above_095():
    lines = np.zeros((N, 2))
    lines[:17, 0] = lines[17:, 1] = 1.0  # two bundles of 17: cosine 1 inside, 0 between
    (cosines,) = frames_of(lines).cosines
    assert alike_share(cosines) == pytest.approx(2 * 136 / 561)


@pytest.mark.parametrize(
    ("state", "note"),
    [
        (np.zeros((N, 3)), "All nodes are one point."),
        (np.ones((N, 3)), "All nodes are one point."),
        (np.full((N, 3), np.inf), "No picture: 102 of the hidden state's 102 values are NaN or infinite"),
    ],
    ids=["dead", "constant", "exploded"],
)
def test_states_without_a_picture_give_sentences_and_never_nan(state, note):
    frames = frames_of(STATE, state, STATE)
    tsne = [tsne_points(STATE, frames.nodes, None), tsne_points(state, frames.nodes, None)]
    scene = scene_of(frames, tsne)
    assert scene.clouds[0].notes[1].startswith(note)
    assert frames.points[2] == pytest.approx(frames.points[0], abs=1e-5)
    for cloud in scene.clouds:
        assert np.isfinite(cloud.positions).all()
    values = [value for curve in scene.curves for value in (*curve.values, *curve.heights)]
    assert all(value is None or np.isfinite(value) for value in values)
    assert "nan" not in str(scene.stamps).lower()


def test_stamps_are_the_accuracy_and_the_measures_of_the_state():
    predicted = np.array(KARATE.y)
    predicted[:5] = 1 - predicted[:5]
    frames = frames_of(STATE, predictions=[predicted])
    stamp = dict(frame_stamp(frames, 0))
    test = np.asarray(KARATE.test_mask)
    assert plain(stamp["test accuracy"]) == f"{100 * np.mean((predicted == KARATE.y)[test]):.1f} %"
    for name in NAMES:
        assert stamp[METRICS[name].label] == significant(METRICS[name](STATE, KARATE))
    assert frames.wrong[0].sum() == 5
    assert scene_of(frames).crosses.tolist() == frames.wrong.tolist()


def test_classes_have_their_colours_and_names():
    scene = scene_of(frames_of(STATE))
    assert [entry.label for entry in scene.legend] == [
        f"{name.replace('_', ' ')} ({size})"
        for name, size in zip(KARATE.class_names, np.bincount(KARATE.y), strict=True)
    ]
    assert scene.colour_index.tolist() == KARATE.y.tolist()
    assert scene_of(frames_of(STATE), theme=DARK).background == DARK.background


def test_a_graph_without_labels_has_one_colour_and_no_accuracy():
    bare = replace(KARATE, y=None, class_names=(), train_mask=None, val_mask=None, test_mask=None)
    frames = cursor_frames([FrameSource("0", 0, 1)], [1], [STATE], [np.zeros(N, dtype=int)], bare, NAMES)
    scene = cursor_scene(frames, (), NodeTable(None), LIGHT, over="depths", model="gcn")
    assert scene.stamps[0][0] == ("test accuracy", "not known")
    assert next(curve.title for curve in scene.curves).startswith("Normalised energy")
    assert not frames.wrong.any()
    assert len(scene.palette) == 1


def test_an_empty_scene_has_a_title_and_a_reason():
    scene = empty_cursor(LIGHT, over="depths", reason="No run is finished yet.")
    assert scene.title
    assert scene.reason == "No run is finished yet."
    assert (scene.places, scene.curves, scene.histogram) == ((), (), None)
    with pytest.raises(ConfigError, match="got no hidden states"):
        cursor_frames([], [], [], [], KARATE, NAMES)
    with pytest.raises(ConfigError, match="got no runs"):
        depth_frames("", ())


def test_tsne_frames_that_are_missing_are_said_to_be_computed():
    frames = frames_of(STATE, STATE)
    there = TsneFrame(np.full((N, 2), 33.0, dtype=np.float32))
    _, cloud = scene_of(frames, [there]).clouds
    assert cloud.present == (True, False)
    assert cloud.limit == 40.0
    assert cloud.notes[1] == "Being computed: 1 of 2 frames are there."


def test_tsne_begins_from_the_frame_before_and_lies_close_to_it():
    nodes = drawn_nodes(N)
    first = tsne_points(STATE, nodes, None).points
    assert first is not None
    again = tsne_points(STATE, nodes, first @ TURN.astype(np.float32)).points
    assert again is not None
    matched = np.sum((again - again.mean(axis=0)) * (first @ TURN - (first @ TURN).mean(axis=0)))
    assert matched > 0
    swapped = np.sum((again - again.mean(axis=0)) * (first - first.mean(axis=0)))
    assert matched > swapped


def test_what_tsne_hides_is_said_in_the_numbers_of_the_frames():
    alike = np.array([100.0, 0.0]) + 0.01 * STATE
    frames = frames_of(STATE, alike, places=[2, 16])
    wide = TsneFrame((50 * frames.points[0]).astype(np.float32))
    text = plain(hidden_finding(frames, [wide, wide], "depths"))
    flat = spread_of(frames.points[1]) / spread_of(frames.points[0])
    assert text.startswith(
        "t-SNE hides collapse: with 16 layers, 100.0 % of all pairs have a cosine above 0.95, yet t-SNE "
        "still spreads the nodes over 100 % of the width of its widest frame."
    )
    assert 0 < flat < 0.01
    assert text.endswith(f"over {100 * flat:.1g} %.")
    assert hidden_finding(frames, [], "depths") == ""
    assert hidden_finding(frames, [wide], "depths").startswith("t-SNE has little to hide here yet")
    assert plain(cursor_finding(frames, "depths")).endswith("with 16 layers, 100.0 %")
    alone = frames_of(STATE, places=[2])
    assert plain(cursor_finding(alone, "depths")).endswith("have a cosine above 0.95")


def test_heights_of_a_logarithmic_curve_follow_the_logarithm_with_zero_on_the_floor():
    values = [
        Measurement(1.0),
        Measurement(0.1),
        Measurement(0.001),
        Measurement(0.0),
        Measurement(None, "no"),
    ]
    curve = measure_curve(METRICS["mad"], values)
    one, tenth, thousandth, zero, missing = curve.heights
    assert one == pytest.approx(1.0)
    assert None not in (one, tenth, thousandth, zero)
    assert one - thousandth == pytest.approx(3 * (one - tenth))
    assert 0 <= zero < thousandth
    assert (missing, curve.texts[4]) == (None, "no")
    assert [tick.text for tick in curve.ticks] == ["0", "10⁻³", "0.01", "0.1", "1"]
    assert curve.ticks[0].height == zero


def test_accuracy_is_on_an_axis_of_percent_with_the_larger_chance():
    curve = accuracy_curve([0.5, None], Chance(0.3, 0.1))
    assert curve.heights == (0.5, None)
    assert (curve.references[0].height, plain(curve.references[0].text)) == (
        0.3,
        "guess largest class 30.0 %",
    )


def test_one_run_for_each_depth_prefers_the_seed_that_is_looked_at():
    base = small_run(5, seed=1)
    runs = [
        replace(base, model=replace(base.model, num_layers=depth), training=replace(base.training, seed=seed))
        for depth, seed in ((4, 0), (4, 1), (2, 3), (2, 2))
    ]
    other = replace(base, model=replace(base.model, model="mlp"))
    assert one_per_depth(base, [*runs, other]) == (runs[3], runs[1])


def test_large_graphs_are_sampled_evenly():
    assert drawn_nodes(5).tolist() == [0, 1, 2, 3, 4]
    sample = drawn_nodes(20_000)
    assert len(set(sample.tolist())) == 6000
    assert (np.diff(sample) > 0).all()
    assert np.bincount(sample // 5000).min() > 1350


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, tuple[RunConfig, ...], RunStore]]:
    root: Path = tmp_path_factory.mktemp("runs")
    configs = tuple(replace(small_run(10), model=ModelConfig("gcn", depth, 8)) for depth in (1, 2, 5))
    threads = torch.get_num_threads()
    for config in configs:
        store = undisturbed(root, config)
    yield str(root), configs, store
    torch.set_num_threads(threads)


def test_frames_over_depths_are_last_hidden_layers_at_the_best_epoch(runs):
    root, configs, store = runs
    frames = depth_frames(root, tuple(config.run_id for config in configs))
    assert frames.places == (1, 2, 5)
    assert [source.layer for source in frames.sources] == [1, 1, 4]
    for place, config in enumerate(configs):
        best = store.status(config.run_id).best
        assert best is not None
        assert frames.accuracies[place] == pytest.approx(best.test_acc)
        states = hidden_states(root, config.run_id, best_epoch(store, config.run_id))
        state = states[frames.sources[place].layer - 1]
        for name in cursor_measures(config.model):
            assert frames.measures[name][place].value == pytest.approx(METRICS[name](state, KARATE))


def test_frames_over_layers_end_with_the_logits(runs):
    root, configs, _ = runs
    frames = layer_frames(root, configs[2].run_id, 10)
    states = hidden_states(root, configs[2].run_id, 10)
    assert frames.places == (1, 2, 3, 4, 5)
    assert [found.value for found in frames.measures["effective_rank"]] == pytest.approx(
        [METRICS["effective_rank"](state, KARATE) for state in states]
    )
    assert (frames.wrong == (states[-1].argmax(axis=1) != KARATE.y)).all()
    assert scene_of(frames, over="layers").names[-1] == "layer 5 of 5, the logits"


def test_tsne_frames_asked_in_order_cost_one_arrangement_each(runs, monkeypatch):
    root, configs, _ = runs
    sources = layer_frames(root, configs[2].run_id, 10).sources
    asked = []

    def noted(state, nodes, before):
        asked.append(before is not None)
        return tsne_points(state, nodes, before)

    monkeypatch.setattr(engine_cursor, "tsne_points", noted)
    found = [tsne_frame(root, sources[:count]) for count in (1, 2, 3)]
    assert asked == [False, True, True]
    assert all(frame.points is not None and frame.points.shape == (N, 2) for frame in found)
