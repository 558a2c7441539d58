"""A graph's edges with a share of them left out, and the hops of a mini-batch."""

from __future__ import annotations

import pytest
import torch
from layer_cases import AWKWARD, GRAPHS
from torch import Tensor

from gnnviz.datasets import load_graph
from gnnviz.errors import ConfigError
from gnnviz.layers import SAGEConv
from gnnviz.torch_graph import BatchHop, Blocks, Operators


def pairs(edge_index: Tensor) -> list[tuple[int, int]]:
    return sorted((min(edge), max(edge)) for edge in edge_index.t().tolist())


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_share_of_coras_edges_is_left_out_in_both_directions(share: float) -> None:
    torch.manual_seed(0)
    operators = load_graph("cora").to_torch().operators
    left = operators.without_edges(share)
    assert left.num_nodes == 2708
    assert left.edge_index.shape == (2, 2 * (5278 - round(share * 5278)))
    kept = {tuple(edge) for edge in left.edge_index.t().tolist()}
    assert kept <= {tuple(edge) for edge in operators.edge_index.t().tolist()}
    assert kept == {(target, source) for source, target in kept}


def test_duplicates_of_an_edge_and_loops_stay_or_go_together() -> None:
    num_nodes, edge_index = GRAPHS[AWKWARD]
    operators = Operators(edge_index, num_nodes)
    for seed in range(10):
        torch.manual_seed(seed)
        left = pairs(operators.without_edges(0.5).edge_index)
        assert len(set(left)) == len(set(pairs(edge_index))) - round(0.5 * len(set(pairs(edge_index))))
        assert left == [pair for pair in pairs(edge_index) if pair in set(left)]


def test_torchs_seed_decides_which_edges_stay() -> None:
    operators = load_graph("cora").to_torch().operators
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        drawn.append(operators.without_edges(0.5).edge_index)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert not torch.equal(operators.without_edges(0.5).edge_index, drawn[2])


@pytest.mark.parametrize("graph", GRAPHS)
def test_every_edge_may_go(graph: str) -> None:
    num_nodes, edge_index = GRAPHS[graph]
    left = Operators(edge_index, num_nodes).without_edges(0.999)
    assert left.edge_index.shape == (2, 0)
    torch.testing.assert_close(left.gcn(torch.float32).to_dense(), torch.eye(num_nodes))


def test_what_is_left_is_normalised_anew() -> None:
    torch.manual_seed(0)
    left = load_graph("cora").to_torch().operators.without_edges(0.5)
    fresh = Operators(left.edge_index.clone(), left.num_nodes)
    for made, expected in (
        (left.gcn(torch.float32), fresh.gcn(torch.float32)),
        (left.as_given, fresh.as_given),
    ):
        assert torch.equal(made.indptr, expected.indptr)
        torch.testing.assert_close(made.to_dense(), expected.to_dense())


@pytest.mark.parametrize("share", [1.0, -0.1])
def test_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="share is"):
        Operators(torch.zeros(2, 0, dtype=torch.int64), 1).without_edges(share)


def test_hops_with_all_edges_give_what_the_whole_graph_gives() -> None:
    torch.manual_seed(0)
    # 0 hears 1 and 2; they hear 3: nodes in the order of their distance from 0.
    edges = torch.tensor([[1, 2, 3, 3], [0, 0, 1, 2]])
    first, second = SAGEConv(3, 3), SAGEConv(3, 2)
    x = torch.randn(4, 3)
    blocks: Blocks = (BatchHop(Operators(edges, 4), 3), BatchHop(Operators(edges[:, :2], 3), 1))
    h = x
    for layer, hop in zip((first, second), blocks, strict=True):
        h = layer(h, hop.operators)[: hop.num_targets]
    torch.testing.assert_close(h, second(first(x, edges), edges)[:1])
