"""What a measure of over-smoothing is: `Metric`, its description and its function in one record.

The measures themselves are in `gnnviz.smoothing.METRICS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gnnviz.graph import Graph
from gnnviz.rows import Matrix, MeasureUndefined, State, as_state

Scale = Literal["log", "linear"]
Cost = Literal["fast", "pairs"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A measure of over-smoothing: what the user is told, and the function.

    Attributes:
        label: the name on screen.
        symbol: what stands on an axis, plain text.
        formula: LaTeX.
        help: one line for a student.
        paper: authors, venue and year.
        direction: what small and large values mean.
        smoothed: the value of a fully smoothed hidden state, or None where there is none.
        scale: the axis that suits it.
        unit: what the number counts; "" for a ratio.
        cost: "fast": time linear in nodes and edges; "pairs": all pairs of nodes.
        needs_labels: True when the graph must have classes.
        compute: the function of a checked state [N, d] float64 and its graph.
    """

    label: str
    symbol: str
    formula: str
    help: str
    paper: str
    direction: str
    smoothed: float | None
    compute: Callable[[Matrix, Graph], float]
    scale: Scale = "linear"
    unit: str = ""
    cost: Cost = "fast"
    needs_labels: bool = False

    def __call__(self, h: State, graph: Graph) -> float:
        """Return the measure of a hidden state.

        Args:
            h: one row for each node [N, d]; any float type, dense or sparse; computed in float64.
            graph: the graph of N nodes that the state belongs to.

        Returns:
            A finite number; its range is in the docstring of `compute`.

        Raises:
            MeasureUndefined: the measure has no value here; the text says why.
            ValueError: the state does not have one row for each node.
        """
        state = as_state(h)
        if len(state) != graph.num_nodes:
            raise ValueError(
                f"the hidden state has {len(state)} rows; {graph.name} has {graph.num_nodes} nodes"
            )
        with np.errstate(over="ignore", invalid="ignore"):  # found below, and told in words
            value = float(self.compute(state, graph))
        if not np.isfinite(value):
            raise MeasureUndefined(
                f"{self.label} is beyond the largest number of float64: "
                f"the hidden state reaches {np.abs(state).max():.3g}"
            )
        return value
