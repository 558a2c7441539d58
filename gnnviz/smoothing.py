"""METRICS: the measures of over-smoothing, each with its formula, its paper and what its values mean.

`METRICS["mad"](h, graph)` takes one hidden state and its graph and returns a float; where a measure has
no value it raises `MeasureUndefined` with the reason, never NaN and never a stand-in. Numpy and scipy
only. `matched_rayleigh` says which energy goes to 0 under which model.
"""

from __future__ import annotations

from gnnviz import smoothing_edges, smoothing_matrix, smoothing_pairs
from gnnviz.errors import ConfigError
from gnnviz.metric import Metric
from gnnviz.models import MODELS, ModelConfig, Normalisation
from gnnviz.rows import MeasureUndefined

__all__ = ["METRICS", "MeasureUndefined", "Metric", "matched_rayleigh"]


def matched_rayleigh(config: ModelConfig) -> str:
    """Return the key of the normalised energy that goes to 0 when this model's layers smooth.

    GCN's averaging, which SGC, APPNP and GCNII share, leads to rows along sqrt(d + 1), where `rayleigh_sym`
    is 0. GraphSAGE's and GAT's operators, and GCN's with normalisation "row", have rows that sum to 1 and
    lead to equal rows, where `rayleigh_rw` is 0; GCN's plain "sum" leads to the largest eigenvector of A + I,
    where `rayleigh_sum` is 0. Under another operator each has a floor above 0. The control without edges is
    drawn as equal rows.

    Raises:
        ConfigError: a model whose layer has no energy here.
    """
    conv = MODELS[config.model].conv
    if conv == "GCNConv":
        return RAYLEIGH_OF_NORMALISATION[config.normalisation]
    if conv not in RAYLEIGH_OF_CONV:
        known = ", ".join(["GCNConv", *sorted(RAYLEIGH_OF_CONV)])
        raise ConfigError(f"no energy is known to fit {conv}; known are {known}")
    return RAYLEIGH_OF_CONV[conv]


RAYLEIGH_OF_NORMALISATION: dict[Normalisation, str] = {
    "sym": "rayleigh_sym",
    "row": "rayleigh_rw",
    "sum": "rayleigh_sum",
}
RAYLEIGH_OF_CONV: dict[str, str] = {
    "GCN2Conv": "rayleigh_sym",
    "Propagation": "rayleigh_sym",
    **dict.fromkeys(("SAGEConv", "GATConv", "GATv2Conv", "Linear"), "rayleigh_rw"),
}

METRICS: dict[str, Metric] = {
    "rayleigh_sym": Metric(
        label="Normalised energy (GCN)",
        symbol="E_sym / |X|²",
        formula=r"\mathrm{tr}(X^\top (I-\hat A) X) / \lVert X \rVert_F^2",
        help="How much neighbours differ once GCN's degree weights and the signal's size are divided out.",
        paper="Cai & Wang, arXiv 2006.13318, 2020, divided by the norm",
        direction="0: rows follow sqrt(degree + 1); towards 2: neighbours have opposite signs",
        smoothed=0.0,
        scale="log",
        compute=smoothing_edges.rayleigh_sym,
    ),
    "rayleigh_rw": Metric(
        label="Normalised energy (SAGE, GAT)",
        symbol="E / |X|²",
        formula=r"\mathrm{tr}(X^\top L X) / \lVert X \rVert_F^2",
        help="How much neighbours differ once the signal's size is divided out; 0 when rows are equal.",
        paper="Roth & Liebig, LoG 2023",
        direction="0: all rows of a component are equal; large: neighbours differ",
        smoothed=0.0,
        scale="log",
        compute=smoothing_edges.rayleigh_rw,
    ),
    "rayleigh_sum": Metric(
        label="Normalised energy (GCN, sum)",
        symbol="E_sum / |X|²",
        formula=r"1 - \mathrm{tr}(X^\top \tilde A X) / (\lambda_1 \lVert X \rVert_F^2)",
        help="How far the rows are from the largest eigenvector of A + I, to which plain sums lead.",
        paper="Di Giovanni et al., TMLR 2023, with A + I as the operator",
        direction="0: rows follow the largest eigenvector; large: they do not",
        smoothed=0.0,
        scale="log",
        compute=smoothing_edges.rayleigh_sum,
    ),
    "dirichlet_sym": Metric(
        label="Dirichlet energy (GCN)",
        symbol="E_sym",
        formula=r"\sum_{\{i,j\}} \lVert x_i/\sqrt{1+d_i} - x_j/\sqrt{1+d_j} \rVert^2",
        help="Squared differences along edges, with GCN's degree weights; also falls when the signal fades.",
        paper="Cai & Wang, arXiv 2006.13318, 2020",
        direction="0: smoothed, or no signal at all; large: neighbours differ",
        smoothed=0.0,
        scale="log",
        compute=smoothing_edges.dirichlet_sym,
    ),
    "dirichlet_rusch": Metric(
        label="Dirichlet energy (unweighted)",
        symbol="E",
        formula=r"\frac{1}{N} \sum_i \sum_{j \in N_i} \lVert x_i - x_j \rVert^2",
        help="Squared differences between a node and its neighbours, per node; falls when the signal fades.",
        paper="Rusch, Bronstein & Mishra, arXiv 2303.10993, 2023",
        direction="0: all rows of a component are equal, or no signal; large: neighbours differ",
        smoothed=0.0,
        scale="log",
        compute=smoothing_edges.dirichlet_rusch,
    ),
    "subspace_distance": Metric(
        label="Distance from GCN's limit",
        symbol="d_M",
        formula=r"\lVert X - E E^\top X \rVert_F",
        help="How far the rows are from following sqrt(degree + 1) in each component.",
        paper="Oono & Suzuki, ICLR 2020",
        direction="0: in the limit, or no signal; large: far from it",
        smoothed=0.0,
        scale="log",
        compute=smoothing_edges.subspace_distance,
    ),
    "subspace_distance_relative": Metric(
        label="Relative distance from GCN's limit",
        symbol="d_M / |X|",
        formula=r"\lVert X - E E^\top X \rVert_F / \lVert X \rVert_F",
        help="The share of the signal that GCN's averaging would remove in the end.",
        paper="Oono & Suzuki, ICLR 2020, divided by the norm",
        direction="0: in the limit; 1: nothing of the signal is in it",
        smoothed=0.0,
        scale="log",
        compute=smoothing_edges.subspace_distance_relative,
    ),
    "mad": Metric(
        label="MAD (neighbours)",
        symbol="MAD",
        formula=r"\mathrm{mean}_i\, \mathrm{mean}_{j \in N_i} (1 - \cos(x_i, x_j))",
        help="Mean cosine distance between a node and its neighbours; blind to how long the rows are.",
        paper="Chen et al., AAAI 2020",
        direction="0: neighbours point the same way; 1: unrelated; 2: opposite",
        smoothed=0.0,
        scale="log",
        compute=smoothing_edges.mad,
    ),
    "mad_all": Metric(
        label="MAD (all pairs)",
        symbol="MAD_all",
        formula=r"\mathrm{mean}_{i \ne j} (1 - \cos(x_i, x_j))",
        help="Mean cosine distance between any two nodes; 0 only if the whole graph points one way.",
        paper="Chen et al., AAAI 2020",
        direction="0: all rows point the same way; 1: unrelated",
        smoothed=0.0,
        scale="log",
        compute=smoothing_matrix.mad_all,
    ),
    "mad_gap": Metric(
        label="MADGap",
        symbol="MADGap",
        formula=r"\mathrm{MAD}_{\mathrm{hops} \ge 8} - \mathrm{MAD}_{\mathrm{hops} \le 3}",
        help="How much more remote nodes differ than near ones: what is left to tell classes apart.",
        paper="Chen et al., AAAI 2020",
        direction="0: remote nodes are as alike as near ones; large: near ones are more alike",
        smoothed=0.0,
        cost="pairs",
        compute=smoothing_pairs.mad_gap,
    ),
    "edge_cosine": Metric(
        label="Cosine along edges",
        symbol="cos on edges",
        formula=r"\mathrm{mean}_{\{i,j\} \in E} \cos(x_i, x_j)",
        help="Mean cosine of the two ends of an edge.",
        paper="Chen et al., AAAI 2020, averaged over edges",
        direction="1: neighbours point the same way; 0: unrelated; -1: opposite",
        smoothed=1.0,
        compute=smoothing_edges.edge_cosine,
    ),
    "mean_cosine": Metric(
        label="Mean cosine of all pairs",
        symbol="mean cos",
        formula=r"\mathrm{mean}_{i \ne j} \cos(x_i, x_j)",
        help="Mean cosine of any two nodes, also called anisotropy.",
        paper="Ethayarajh, EMNLP 2019",
        direction="1: all rows point the same way; 0: unrelated",
        smoothed=1.0,
        compute=smoothing_matrix.mean_cosine,
    ),
    "smv": Metric(
        label="Smoothness value (SMV)",
        symbol="SMV",
        formula=r"\mathrm{mean}_{i \ne j} \tfrac12 \lVert \hat x_i - \hat x_j \rVert_2",
        help="Half the mean distance of any two rows after each is brought to length 1.",
        paper="Liu, Gao & Ji, KDD 2020",
        direction="0: all rows point the same way; 1: all are opposite",
        smoothed=0.0,
        scale="log",
        cost="pairs",
        compute=smoothing_pairs.smv,
    ),
    "row_diff": Metric(
        label="Row difference",
        symbol="row-diff",
        formula=r"\frac{1}{N^2} \sum_{i,j} \lVert x_i - x_j \rVert_2",
        help="Mean distance of any two rows; GCN's limit is not 0 here, and a fading signal is.",
        paper="Zhao & Akoglu, ICLR 2020",
        direction="0: all rows are equal, or no signal; large: rows differ",
        smoothed=0.0,
        scale="log",
        cost="pairs",
        compute=smoothing_pairs.row_diff,
    ),
    "col_diff": Metric(
        label="Column difference",
        symbol="col-diff",
        formula=r"\frac{1}{d^2} \sum_{i,j} \lVert x_{\cdot i}/\lVert x_{\cdot i}\rVert_1"
        r" - x_{\cdot j}/\lVert x_{\cdot j}\rVert_1 \rVert_2",
        help="Mean distance of any two channels, each at sum 1: 0 when every channel says the same.",
        paper="Zhao & Akoglu, ICLR 2020",
        direction="0: all channels are multiples of one; large: channels differ",
        smoothed=0.0,
        scale="log",
        compute=smoothing_matrix.col_diff,
    ),
    "group_distance_ratio": Metric(
        label="Group distance ratio",
        symbol="between / within",
        formula=r"\mathrm{mean}_{a \ne b} D_{ab} / \mathrm{mean}_a D_{aa}",
        help="How far apart two classes are, measured in the spread of one class.",
        paper="Zhou et al., NeurIPS 2020",
        direction="1: classes cannot be told apart; large: well separated",
        smoothed=1.0,
        cost="pairs",
        needs_labels=True,
        compute=smoothing_pairs.group_distance_ratio,
    ),
    "instance_information_gain": Metric(
        label="Instance information gain",
        symbol="I(X; H)",
        formula=r"H(X) - \sum_c p_c H(X \mid c)",
        help="How many bits a node's largest channel tells about the node's own features.",
        paper="Zhou et al., NeurIPS 2020",
        direction="0: the state tells nothing of the features; large: much",
        smoothed=0.0,
        unit="bits",
        cost="pairs",
        compute=smoothing_pairs.instance_information_gain,
    ),
    "effective_rank": Metric(
        label="Effective rank",
        symbol="erank",
        formula=r"\exp(-\sum_k p_k \log p_k), \quad p_k = \sigma_k / \sum_l \sigma_l",
        help="How many directions the rows use, counted by the entropy of the singular values.",
        paper="Roy & Vetterli, EUSIPCO 2007",
        direction="1: all rows are multiples of one; large: many directions",
        smoothed=1.0,
        unit="directions",
        compute=smoothing_matrix.effective_rank,
    ),
    "stable_rank": Metric(
        label="Stable rank",
        symbol="srank",
        formula=r"\lVert X \rVert_F^2 / \lVert X \rVert_2^2",
        help="How many directions the rows use, counted against the strongest one.",
        paper="Rudelson & Vershynin, Journal of the ACM 2007",
        direction="1: all rows are multiples of one; large: many directions",
        smoothed=1.0,
        unit="directions",
        compute=smoothing_matrix.stable_rank,
    ),
    "rank_one_distance": Metric(
        label="Distance from rank one",
        symbol="ROD",
        formula=r"\lVert X/\lVert X\rVert_* - R/\lVert R\rVert_* \rVert_*",
        help="How far the state is from a table in which all rows are multiples of one.",
        paper="Roth, arXiv 2407.11876, 2024",
        direction="0: rank one; towards 2: far from it",
        smoothed=0.0,
        scale="log",
        compute=smoothing_matrix.rank_one_distance,
    ),
    "norm": Metric(
        label="Size of the signal",
        symbol="|X|²",
        formula=r"\lVert X \rVert_F^2",
        help="The sum of all squares: falls to 0 when the signal vanishes, which is not smoothing.",
        paper="Glorot & Bengio, AISTATS 2010 (why it shrinks with depth)",
        direction="0: no signal; growing without bound: it explodes",
        smoothed=None,
        scale="log",
        compute=smoothing_matrix.norm,
    ),
    "dead_rows": Metric(
        label="Dead nodes",
        symbol="dead",
        formula=r"\frac{1}{N} \left|\{ i : x_i = 0 \}\right|",
        help="The share of nodes whose row is exactly 0, so that nothing of them is passed on.",
        paper="Lu et al., Communications in Computational Physics 2020 (dying ReLU)",
        direction="0: every node has a signal; 1: none has",
        smoothed=None,
        unit="share of nodes",
        compute=smoothing_matrix.dead_rows,
    ),
}
