"""A graph in sentences: what it shows, what reading it changed, what is known of a node.

Speaks of papers and citations where the dataset has such words. The sentences are computed from counts
and claim nothing that these do not say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnnviz.figures.layout import counted, percent
from gnnviz.figures.nodes import NO_LABEL
from gnnviz.graph import Cleaning, Graph
from gnnviz.graph_statistics import PARTS, GraphStatistics, NodeReport, node_parts

PART_WORDS = {"none": "in no part of the split", "train": "trains", "val": "validates", "test": "tests"}


_SHORT = 24  # a longer name would drown its sentence


@dataclass(frozen=True, slots=True)
class Words:
    """What the things of a graph are called: one and many of each."""

    node: str = "node"
    nodes: str = "nodes"
    edge: str = "edge"
    edges: str = "edges"
    label: str = "class"
    labels: str = "classes"


_PAPERS = Words("paper", "papers", "citation", "citations", "topic", "topics")


def words_of(dataset: str) -> Words:
    """Return the words for a dataset, a key of `gnnviz.datasets.DATASETS` or an own one."""
    return WORDS.get(dataset, Words())


def graph_finding(name: str, statistics: GraphStatistics, words: Words) -> str:
    """Return what a graph shows first: how far its edges keep to classes, or else its size."""
    if statistics.homophily is not None:
        return (
            f"{name}: {percent(statistics.homophily)} of the {words.edges} "
            f"{'between labelled ' + words.nodes + ' ' if statistics.unlabelled else ''}"
            f"join two {words.nodes} of one {words.label}"
        )
    pieces = len(statistics.component_sizes)
    return (
        f"{name}: {_number(statistics.num_nodes, words.node, words.nodes)} and "
        f"{_number(statistics.num_edges, words.edge, words.edges)} in {_number(pieces, 'piece', 'pieces')}"
    )


def homophily_in_words(statistics: GraphStatistics, words: Words) -> str:
    """Return what the share of edges within classes means, beside what chance would give."""
    if statistics.homophily is None or statistics.expected_homophily is None:
        return f"Without {words.labels} and {words.edges} there is no homophily to measure."
    expected = percent(statistics.expected_homophily)
    if statistics.homophily > statistics.expected_homophily:
        return (
            f"If {words.edges} were drawn at random, {expected} would stay within one {words.label}. "
            f"So a {words.node}'s neighbours say much about its own {words.label}: that is what a graph "
            "neural network lives on."
        )
    return (
        f"If {words.edges} were drawn at random, {expected} would stay within one {words.label}: as many or "
        f"more. Averaging over neighbours mixes {words.labels} here."
    )


def cleaning_in_words(cleaning: Cleaning, num_edges: int, words: Words) -> tuple[str, ...]:
    """Return what was read and what was changed, a sentence each.

    Args:
        cleaning: the counts of the changes.
        num_edges: undirected edges that were left.
        words: what edges are called.
    """
    directed = 2 * num_edges - cleaning.one_way  # distinct directed edges as they were given
    read = directed + cleaning.self_loops + cleaning.duplicates + cleaning.unknown_ids
    both = directed - num_edges
    sentences = [f"{_number(read, words.edge, words.edges, capital=True)} {_were(read)} read."]
    removed = [
        (cleaning.unknown_ids, "named an unknown node and {} left out"),
        (cleaning.self_loops, "joined a node to itself and {} left out"),
        (cleaning.duplicates, "repeated an earlier one and {} left out"),
    ]
    sentences += [f"{counted(count)} {words.format(_were(count))}." for count, words in removed if count]
    if not any(count for count, _ in removed):
        sentences.append("None joined a node to itself, none was given twice: nothing was left out.")
    if both:
        pairs = f"{_number(both, 'pair', 'pairs')} of nodes {_were(both)} joined in both directions"
        sentences.append(f"{pairs} and {'counts' if both == 1 else 'count'} once.")
    if cleaning.one_way:
        sentences.append(
            f"{counted(cleaning.one_way)} had one direction only; the opposite one was added, "
            "so that messages pass both ways."
        )
    sentences.append(f"That makes **{_number(num_edges, 'edge', 'edges')}** without direction.")
    return tuple(sentences)


def degrees_in_words(statistics: GraphStatistics, graph: Graph, words: Words) -> str:
    """Return how to read the degrees, with the mean and the hub."""
    if not statistics.num_edges:
        return f"No {words.node} has a neighbour."
    hub = int(graph.degrees().argmax())
    name = graph.node_name(hub) if len(graph.node_name(hub)) <= _SHORT else f"number {hub}"
    alone = ""
    if statistics.isolated:
        alone = (
            f" {_number(statistics.isolated, words.node, words.nodes, capital=True)} without neighbours "
            f"{'has' if statistics.isolated == 1 else 'have'} no place on a log axis."
        )
    return (
        f"How to read it: each point is a degree and how many {words.nodes} have it. On average a "
        f"{words.node} has {statistics.mean_degree:.1f} neighbours; {words.node} {name} has "
        f"{counted(statistics.max_degree)}, the most. Hubs carry messages to very many.{alone}"
    )


def reading_in_words(words: Words, colour_by: str) -> str:
    """Return how to read the picture of the graph.

    Args:
        words: what nodes and edges are called.
        colour_by: what colours mean, as `gnnviz.figures.graph.NodeColour`.
    """
    colours = {
        "class": f"Colours are {words.labels}, which the drawing did not know: where one colour keeps "
        f"together, {words.edges} keep to {words.labels}.",
        "part": "Filled dark dots train, rings validate, grey dots test; pale ones only pass messages on.",
        "degree": "Colours run from few neighbours to many.",
        "right_wrong": "Crosses are predicted wrongly by the run in the sidebar, at its best epoch.",
    }
    return (
        f"How to read it: each dot is a {words.node}, larger with more neighbours, each line "
        f"a {words.edge}. {colours[colour_by]} Point at a dot to light its neighbours, click it to look at "
        "it; drag to move, zoom with the buttons or Ctrl and wheel. **Who is near whom means something; "
        f"directions and exact distances do not: lines pull {words.nodes} together, all others push apart, "
        "and small pieces stand around the largest.**"
    )


def drawn_in_words(drawn: int, num_nodes: int) -> str:
    """Return what was left out of a picture that cannot hold every node."""
    return (
        f"The picture holds the {counted(drawn)} nodes with the most neighbours and the edges between "
        f"them; {counted(num_nodes - drawn)} nodes are left out. All counts below are of the whole graph."
    )


def components_in_words(statistics: GraphStatistics, words: Words) -> str:
    """Return how many pieces the graph is in, and what that means for messages."""
    sizes = statistics.component_sizes
    if len(sizes) == 1:
        return f"All {words.nodes} hang together: with enough layers each hears from every other."
    if not len(sizes):
        return f"There are no {words.nodes}."
    share = percent(float(sizes[0]) / statistics.num_nodes)
    return (
        f"The graph is in {counted(len(sizes))} pieces; the largest holds "
        f"{_number(int(sizes[0]), words.node, words.nodes)} ({share}). No message passes between pieces, "
        "however many layers there are."
    )


def node_facts(report: NodeReport, graph: Graph, words: Words) -> tuple[str, ...]:
    """Return what a node is in a few short phrases; names in them are as they came from a file."""
    facts = [f"number {report.node}", PART_WORDS[report.part]]
    if report.label is not None:
        facts.insert(0, f"{words.label} {graph.class_names[report.label]}")
    elif graph.y is not None:
        facts.insert(0, NO_LABEL)
    facts.append(_number(report.degree, words.edge, words.edges))
    if report.component_size < graph.num_nodes:
        facts.append(f"in a piece of {_number(report.component_size, words.node, words.nodes)}")
    return tuple(facts)


def neighbour_table(report: NodeReport, graph: Graph, words: Words) -> dict[str, list[str | int]]:
    """Return the columns of a table of a node's neighbours, in the order of `report.neighbours`."""
    neighbours = report.neighbours.tolist()
    degrees, parts = graph.degrees(), node_parts(graph)
    columns: dict[str, list[str | int]] = {words.node: [graph.node_name(node) for node in neighbours]}
    if graph.y is not None:
        columns[words.label] = [
            graph.class_names[graph.y[node]] if graph.labelled[node] else NO_LABEL for node in neighbours
        ]
    columns["part of the split"] = [PART_WORDS[PARTS[parts[node]]] for node in neighbours]
    columns[words.edges] = [int(degrees[node]) for node in neighbours]
    return columns


def node_in_words(report: NodeReport, graph: Graph, words: Words) -> str:
    """Return how many neighbours a node has and of which classes, as one sentence."""
    neighbours = _number(report.degree, "neighbour", "neighbours")
    if not report.degree:
        return f"It has no {words.edges}: each layer sees this {words.node}'s own features only."
    if report.local_homophily is None or report.label is None:
        return f"It has {neighbours}."
    order = np.argsort(-report.neighbour_classes, kind="stable")
    classes = ", ".join(
        f"{graph.class_names[label]} {counted(int(report.neighbour_classes[label]))}"
        for label in order
        if report.neighbour_classes[label]
    )
    same = int(report.neighbour_classes[report.label])
    known = int(report.neighbour_classes.sum())
    if known == 1:
        which = "one neighbour" if report.degree == 1 else f"{neighbours}, one of them labelled"
        return f"It has {which}, of {'its own' if same else 'another'} {words.label}: {classes}."
    if known < report.degree:
        neighbours = f"{counted(known)} labelled neighbours"
    chance = graph.homophily()
    which = "more" if report.local_homophily > chance else "fewer"
    compared = (
        "" if report.local_homophily == chance else f", {which} than the {percent(chance)} of the graph"
    )
    return (
        f"{counted(same)} of its {neighbours} are of its own {words.label} "
        f"({percent(report.local_homophily)}{compared}): {classes}."
    )


def _number(count: int, one: str, many: str, *, capital: bool = False) -> str:
    number = "no" if not count else counted(count)
    return f"{number.capitalize() if capital else number} {one if count == 1 else many}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


WORDS: dict[str, Words] = {
    "cora": _PAPERS,
    "citeseer": _PAPERS,
    "pubmed": _PAPERS,
    "karate": Words("member", "members", "tie", "ties", "faction", "factions"),
}
