"""What names a graph: the fields of a spec, its JSON, its words, and what is refused."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

import numpy as np
import pytest

from gnnviz.config import RunConfig, TrainConfig
from gnnviz.datasets import DatasetSpec, load_graph, load_spec
from gnnviz.edits import Edit
from gnnviz.errors import DatasetError, GnnvizError
from gnnviz.models import ModelConfig

EDITED = DatasetSpec("karate", "leaders", edits=(Edit("virtual_node"), Edit("drop_edges", 0.5, 3)))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "crora"}, "unknown dataset 'crora'; choose from cora, karate, blocks, citeseer"),
        ({"name": ["cora"]}, "unknown dataset"),
        ({"split": "leaders"}, "Cora has no split 'leaders'; choose from kipf, random, public"),
        ({"name": "karate"}, "Karate club has no split 'kipf'; choose from leaders, random"),
        ({"split": ["kipf"]}, "Cora has no split"),
        ({"normalisation": "L1"}, "unknown normalisation 'L1'; choose from none, l1, l2"),
        ({"normalisation": ["l1"]}, "unknown normalisation"),
        ({"split": "random", "split_seed": -1}, "split_seed is -1; choose a whole number from 0"),
        ({"split": "random", "split_seed": 1.0}, r"split_seed is 1\.0; choose a whole number"),
        ({"split": "random", "split_seed": True}, "split_seed is True; choose a whole number"),
        ({"split": "random", "split_seed": 2**31}, "split_seed is 2147483648"),
        ({"homophily": 0.5}, r"homophily is 0\.5, but Cora has none to choose; leave it out"),
        ({"name": "blocks", "split": "random", "signal": -1}, "signal is -1; choose a number from 0 to 10"),
        (
            {"name": "blocks", "split": "random", "homophily": 2},
            "homophily is 2; choose a number from 0 to 1",
        ),
        ({"edits": ["degree"]}, r"edits are \['degree'\]; give a list of Edit"),
        ({"edits": "degree"}, "give a list of Edit"),
        ({"split": "kipf", "split_seed": 3}, "split_seed is 3, but the split 'kipf' is fixed; leave it at 0"),
    ],
)
def test_a_spec_that_names_no_graph_is_refused(fields, sentence):
    with pytest.raises(DatasetError, match=sentence):
        DatasetSpec(**fields)


def test_a_spec_survives_json_and_names_the_graph():
    spec = DatasetSpec("cora", "random", 4, "l2")
    again = DatasetSpec(**json.loads(json.dumps(dataclasses.asdict(spec))))
    assert again == spec
    graph = load_spec(again)
    assert graph.train_mask.tolist() == load_graph("cora", "random", 4).train_mask.tolist()


def test_edits_decide_the_graph_and_are_a_hashable_part_of_its_name():
    edits = [Edit("virtual_node"), Edit("degree")]
    spec = DatasetSpec("cora", normalisation="l1", edits=edits)
    assert spec.edits == tuple(edits)
    assert len({spec, DatasetSpec("cora", normalisation="l1", edits=tuple(edits)), DatasetSpec()}) == 2
    graph, plain = load_spec(spec), load_graph("cora", normalisation="l1")
    assert (graph.num_nodes, graph.num_edges, graph.num_features) == (2709, 5278 + 2708, 1434)
    # The words were normalised before, and the degree was not.
    assert np.abs(graph.x[:2708, :1433] - plain.x).max() == 0
    assert graph.x[[2708]].toarray().ravel()[-1] == pytest.approx(np.log(2709))
    assert (graph.train_mask[:2708] == plain.train_mask).all()


def test_the_block_model_has_dials_that_other_graphs_do_not_have():
    usual = DatasetSpec("blocks", "random")
    assert (usual.homophily, usual.signal) == (0.6, 2.0)
    assert usual == DatasetSpec("blocks", "random", homophily=0.6, signal=2)
    graph = load_spec(usual)
    assert (graph.num_nodes, graph.num_features, graph.num_classes) == (2000, 64, 5)
    assert graph.num_edges == pytest.approx(8000, abs=400)
    assert graph.homophily() == pytest.approx(0.6, abs=0.03)
    assert (graph.train_mask.sum(), graph.val_mask.sum(), graph.test_mask.sum()) == (100, 500, 1000)
    apart = load_spec(DatasetSpec("blocks", "random", homophily=0.0))
    assert apart.homophily() == 0.0
    other = load_spec(DatasetSpec("blocks", "random", split_seed=1))
    assert other.edge_index.shape != graph.edge_index.shape or (other.y != graph.y).any()


def test_a_graph_is_called_by_its_dials_and_edits():
    assert DatasetSpec().label == "Cora"
    assert DatasetSpec(edits=(Edit("virtual_node"), Edit("drop_edges", 0.25))).label == (
        "Cora + virtual node + 25 % fewer edges"
    )
    assert DatasetSpec("blocks", "random").label == "Block model"
    assert DatasetSpec("blocks", "random", homophily=0.3).label == "Block model, homophily 0.3"
    both = DatasetSpec("blocks", "random", homophily=0.3, signal=1, edits=(Edit("degree"),))
    assert both.label == "Block model, homophily 0.3, signal 1 + degrees"


def config_json(dataset):
    return json.loads(json.dumps(RunConfig(dataset, ModelConfig(), TrainConfig()).to_json()))


def test_a_run_of_an_edited_graph_survives_json_and_has_a_name_of_its_own():
    specs = (EDITED, replace(EDITED, edits=EDITED.edits[::-1]), replace(EDITED, edits=()))
    configs = [RunConfig.from_json(config_json(spec)) for spec in specs]
    assert [config.dataset for config in configs] == list(specs)
    assert len({config.run_id for config in configs}) == 3


@pytest.mark.parametrize(
    ("edits", "sentence"),
    [
        (None, "edits are NoneType in the file; expected a list"),
        ("degree", "edits are str in the file"),
        ([{"name": "degree"}], r"Edit lacks the fields \['amount', 'seed'\]"),
        (["degree"], "Edit is str in the file"),
        ([{"name": "agree", "amount": None, "seed": 0}], "unknown edit 'agree'"),
    ],
)
def test_edits_in_a_file_that_cannot_be_read_are_refused_in_words(edits, sentence):
    values = config_json(EDITED)
    values["dataset"]["edits"] = edits
    with pytest.raises(GnnvizError, match=sentence):
        RunConfig.from_json(values)
