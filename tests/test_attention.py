"""Attention statistics against values worked out on paper, and against a second road."""

import numpy as np
import pytest

from gnnviz.attention import (
    AttentionError,
    RelativeEntropy,
    entropy,
    head_agreement,
    node_attention,
    relative_entropy,
    share_on_itself,
    share_on_same_class,
)

# A star: node 0 with neighbours 1, 2, 3; node 4 is alone. Sorted by target, self-loops included.
EDGES = np.array([[0, 1, 2, 3, 0, 1, 0, 2, 0, 3, 4], [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4]])
INPUTS = np.array([4, 2, 2, 2, 1])
UNIFORM = (1 / INPUTS[EDGES[1]])[:, None]
ON_ITSELF = (EDGES[0] == EDGES[1]).astype(float)[:, None]
# Node 0 looks at 0, 1, 2, 3 with 1/2, 1/4, 1/8, 1/8: 1.75 bits of at most 2. Leaves: 3/4 on the centre.
HALVES = np.array([1 / 2, 1 / 4, 1 / 8, 1 / 8, 3 / 4, 1 / 4, 3 / 4, 1 / 4, 3 / 4, 1 / 4, 1])[:, None]
THREE_QUARTERS = 2 - 0.75 * np.log2(3)  # bits of (3/4, 1/4)


def random_alpha(heads: int, seed: int) -> np.ndarray:
    scores = np.exp(2 * np.random.default_rng(seed).normal(size=(EDGES.shape[1], heads)))
    return scores / np.stack([np.bincount(EDGES[1], weights=column) for column in scores.T], axis=1)[EDGES[1]]


def test_uniform_attention_has_log2_k_bits() -> None:
    np.testing.assert_allclose(entropy(EDGES, UNIFORM, 5)[:, 0], [2, 1, 1, 1, 0], rtol=0, atol=1e-15)


def test_attention_on_one_input_has_zero_bits() -> None:
    assert (entropy(EDGES, ON_ITSELF, 5) == 0).all()


def test_entropy_by_hand() -> None:
    expected = [1.75, THREE_QUARTERS, THREE_QUARTERS, THREE_QUARTERS, 0]
    np.testing.assert_allclose(entropy(EDGES, HALVES, 5)[:, 0], expected, rtol=0, atol=1e-15)


def test_entropy_does_not_depend_on_the_order_of_edges() -> None:
    alpha, order = random_alpha(3, seed=0), np.random.default_rng(1).permutation(EDGES.shape[1])
    np.testing.assert_allclose(
        entropy(EDGES[:, order], alpha[order], 5), entropy(EDGES, alpha, 5), atol=1e-14
    )


def test_entropy_agrees_with_node_by_node() -> None:
    alpha = random_alpha(3, seed=2)
    for node in range(5):
        own = node_attention(EDGES, alpha, node).coefficients
        np.testing.assert_allclose(
            entropy(EDGES, alpha, 5)[node], -(own * np.log2(own)).sum(axis=0), atol=1e-14
        )


def test_relative_entropy_leaves_single_inputs_out_and_counts_them() -> None:
    relative = relative_entropy(EDGES, np.hstack([UNIFORM, HALVES]), 5)
    assert relative.left_out == 1
    np.testing.assert_array_equal(relative.nodes, [0, 1, 2, 3])
    np.testing.assert_array_equal(relative.inputs, [4, 2, 2, 2])
    np.testing.assert_allclose(relative.values[:, 0], 1, atol=1e-15)
    np.testing.assert_allclose(relative.values[:, 1], [1.75 / 2, *[THREE_QUARTERS] * 3], atol=1e-15)


def test_relative_entropy_of_rounded_coefficients_stays_within_one() -> None:
    edges = np.stack([np.arange(49), np.zeros(49, dtype=np.int64)])
    edges = np.hstack([edges, np.stack([np.arange(1, 49)] * 2)])
    alpha = np.concatenate([np.full(49, 1 / 49), np.ones(48)]).astype(np.float32)[:, None]
    alpha[:49] *= np.float32(1.0001)
    assert relative_entropy(edges, alpha, 49).values.max() == 1.0


def test_quartiles_over_nodes() -> None:
    values = np.array([[0.0, 1.0], [0.1, 1.0], [0.2, 1.0], [0.3, 0.5], [0.4, 0.5]])
    relative = RelativeEntropy(np.arange(5), np.full(5, 2), values, left_out=0)
    expected = [[0.1, 0.5], [0.2, 1.0], [0.3, 1.0]]
    np.testing.assert_allclose(relative.quartiles(), expected, atol=1e-15)


def test_node_attention_is_sorted_and_holds_the_node_itself() -> None:
    alpha = np.hstack([HALVES, UNIFORM])
    alpha[:4, 0] = [1 / 8, 1 / 4, 1 / 8, 1 / 2]
    found = node_attention(EDGES, alpha, 0)
    np.testing.assert_array_equal(found.sources, [3, 1, 0, 2])  # 0 and 2 tie: the lower id first
    np.testing.assert_array_equal(found.coefficients[:, 0], [1 / 2, 1 / 4, 1 / 8, 1 / 8])
    assert found.uniform == 0.25
    assert found.on_itself(0) == 1 / 8
    assert found.on_itself(None) == (1 / 8 + 1 / 4) / 2
    np.testing.assert_array_equal(found.of_head(None), [3 / 8, 1 / 4, 3 / 16, 3 / 16])


def test_isolated_node_looks_only_at_itself() -> None:
    found = node_attention(EDGES, HALVES, 4)
    assert found.sources.tolist() == [4]
    assert found.uniform == found.on_itself(0) == 1.0


def test_identical_heads_agree_wholly() -> None:
    alpha = random_alpha(1, seed=3)
    np.testing.assert_allclose(head_agreement(EDGES, np.hstack([alpha] * 3), 5), np.ones((3, 3)), atol=1e-14)


def test_heads_with_nothing_in_common_do_not_agree() -> None:
    edges = np.array([[0, 1, 0, 1], [0, 0, 1, 1]])
    alpha = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(head_agreement(edges, alpha, 2), np.eye(2))


def test_agreement_by_hand() -> None:
    # (1, 0) against (1/2, 1/2): the mixture (3/4, 1/4) less the mean of 0 and 1 bit.
    edges = np.array([[0, 1, 0, 1], [0, 0, 1, 1]])
    alpha = np.array([[1.0, 0.5], [0.0, 0.5], [0.0, 0.5], [1.0, 0.5]])
    agreement = head_agreement(edges, alpha, 2)
    np.testing.assert_allclose(agreement[0, 1], 1 - (THREE_QUARTERS - 0.5), atol=1e-15)
    np.testing.assert_array_equal(agreement, agreement.T)


def test_agreement_is_one_minus_the_mean_relative_entropy_to_the_mixture() -> None:
    alpha = random_alpha(2, seed=4)
    divergences = []
    for node in range(4):
        first, second = node_attention(EDGES, alpha, node).coefficients.T
        mixture = (first + second) / 2
        divergences.append(sum((part * np.log2(part / mixture)).sum() for part in (first, second)) / 2)
    np.testing.assert_allclose(head_agreement(EDGES, alpha, 5)[0, 1], 1 - np.mean(divergences), atol=1e-14)


def test_share_on_itself_by_hand() -> None:
    share = share_on_itself(EDGES, np.hstack([HALVES, ON_ITSELF]), 5)
    np.testing.assert_allclose(share.per_head, [(1 / 2 + 3 * 1 / 4) / 4, 1], atol=1e-15)
    assert share.uniform == (1 / 4 + 3 * 1 / 2) / 4
    assert (share.num_nodes, share.left_out) == (4, 1)


def test_share_on_same_class_by_hand_leaves_the_node_itself_out() -> None:
    y = np.array([0, 0, 1, 1, 0])  # of node 0's neighbours, node 1 alone has its class
    share = share_on_same_class(EDGES, np.hstack([HALVES, ON_ITSELF]), y)
    np.testing.assert_allclose(share.per_head, [(1 / 4 + 3 / 4) / 4, 0], atol=1e-15)
    assert share.uniform == (1 / 4 + 1 / 2) / 4


def test_where_all_have_one_class_the_two_shares_make_one() -> None:
    alpha = random_alpha(2, seed=5)
    itself, others = (
        share_on_itself(EDGES, alpha, 5),
        share_on_same_class(EDGES, alpha, np.zeros(5, dtype=int)),
    )
    np.testing.assert_allclose(itself.per_head + others.per_head, 1, atol=1e-14)
    assert itself.uniform + others.uniform == pytest.approx(1)


def test_coefficients_after_dropout_are_refused_in_words() -> None:
    alpha = HALVES.copy()
    alpha[6] = 0
    with pytest.raises(AttentionError, match=r"node 2 sum to 0\.25 in head 1.*before dropout"):
        entropy(EDGES, alpha, 5)
    with pytest.raises(AttentionError, match=r"node 2 sum to 0\.25"):
        node_attention(EDGES, alpha, 2)


def test_exploded_coefficients_are_refused_in_words() -> None:
    alpha = HALVES.copy()
    alpha[:4] = np.nan
    with pytest.raises(AttentionError, match="4 of 11 attention coefficients are NaN or negative"):
        head_agreement(EDGES, alpha, 5)


@pytest.mark.parametrize(
    ("edges", "alpha", "num_nodes", "message"),
    [
        (EDGES, HALVES[:-1], 5, r"\(2, 11\) and coefficients \(10, 1\)"),
        (EDGES, HALVES[:, 0], 5, r"give \[2, E\] and \[E, heads\]"),
        (EDGES, HALVES, 4, "name node 4; the graph has nodes 0 to 3"),
        (EDGES, HALVES, 6, "node 5 has no incoming edge"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(
    edges: np.ndarray, alpha: np.ndarray, num_nodes: int, message: str
) -> None:
    with pytest.raises(AttentionError, match=message):
        entropy(edges, alpha, num_nodes)


def test_unknown_node_or_head_is_refused_in_words() -> None:
    with pytest.raises(AttentionError, match="node 7 has no self-loop"):
        node_attention(EDGES, HALVES, 7)
    with pytest.raises(AttentionError, match="there is no head 1; choose from 0 to 0"):
        node_attention(EDGES, HALVES, 0).of_head(1)


def test_graph_without_edges_has_no_choice() -> None:
    edges, alpha = np.array([[0, 1], [0, 1]]), np.ones((2, 3))
    relative = relative_entropy(edges, alpha, 2)
    assert relative.values.shape == (0, 3)
    assert relative.left_out == 2
    for statistic in (head_agreement, share_on_itself):
        with pytest.raises(AttentionError, match="no node has a neighbour"):
            statistic(edges, alpha, 2)
    with pytest.raises(AttentionError, match="no node has a neighbour"):
        relative.quartiles()


def test_attention_of_a_gat_layer_is_accepted_as_it_comes() -> None:
    torch = pytest.importorskip("torch")
    from gnnviz.graph import Graph
    from gnnviz.models import ModelConfig, build_model

    rng = np.random.default_rng(6)
    graph = Graph(x=rng.normal(size=(30, 8)).astype(np.float32), edge_index=rng.integers(0, 29, size=(2, 60)))
    model = build_model(ModelConfig(model="gat", hidden_channels=8, heads=4), 8, 3).eval()
    tensors = graph.to_torch()
    with torch.no_grad():
        layers = model.attention(tensors.x, tensors)
    for edges, alpha in layers:
        relative = relative_entropy(edges.numpy(), alpha.numpy(), 30)
        assert 29 not in relative.nodes  # nothing is joined to it
        np.testing.assert_array_equal(relative.inputs, graph.degrees()[relative.nodes] + 1)
        neighbours = graph.edge_index[0, graph.edge_index[1] == 3]
        assert set(node_attention(edges.numpy(), alpha.numpy(), 3).sources) == {*neighbours, 3}
