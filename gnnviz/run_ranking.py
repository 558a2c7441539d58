"""Which run is best, how far that can be trusted, and the sentence that says so.

Best is the highest validation accuracy, on a tie the lower validation loss, as for the epochs of one
run; the test nodes choose nothing. Only runs on the same graph and split are compared.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from gnnviz.figures.layout import counted, percent
from gnnviz.findings import model_phrase
from gnnviz.graph import Graph
from gnnviz.models import MODELS
from gnnviz.run_names import task_name
from gnnviz.run_table import RunRow
from gnnviz.runs import RunState


def table_order(rows: Sequence[RunRow]) -> tuple[RunRow, ...]:
    """Return the rows as the table shows them: what is running or queued on top, then the best first."""
    active = [row for row in rows if row.status.state.is_active]
    return (*active, *ranked([row for row in rows if not row.status.state.is_active]))


def in_order_of_depth(rows: Sequence[RunRow]) -> tuple[RunRow, ...]:
    """Return the rows by model, then depth, then seed: the order in which curves take their colours."""
    models = list(MODELS)
    return tuple(
        sorted(
            rows,
            key=lambda row: (
                models.index(row.config.model.model),
                row.config.model.num_layers,
                row.config.training.seed,
                row.run_id,
            ),
        )
    )


def ranked(rows: Sequence[RunRow]) -> tuple[RunRow, ...]:
    """Return the rows by validation accuracy, the best first; those without a finished epoch come last."""
    return tuple(sorted(rows, key=_rank))


def _rank(row: RunRow) -> tuple[float, float]:
    best = row.status.best
    return (-best.val_acc, best.val_loss) if best else (math.inf, math.inf)


def finished(rows: Sequence[RunRow]) -> tuple[RunRow, ...]:
    """Return the runs that trained to their end and have a result, the best first."""
    return tuple(row for row in ranked(rows) if row.status.state is RunState.DONE and row.status.best)


def comparable(rows: Sequence[RunRow]) -> tuple[RunRow, ...]:
    """Return the finished runs on the graph and split that most of them share, the best first."""
    done = finished(rows)
    if not done:
        return ()
    most = Counter(task_name(row.config.dataset) for row in done).most_common(1)[0][0]
    return tuple(row for row in done if task_name(row.config.dataset) == most)


def sharetask_name(rows: Sequence[RunRow]) -> bool:
    """Return whether all runs are about the same graph and split, so that their numbers compare."""
    return len({task_name(row.config.dataset) for row in rows}) <= 1


def share_task(rows: Sequence[RunRow]) -> bool:
    """Return whether all runs are about the same graph and split, so that their numbers compare."""
    return len({task_name(row.config.dataset) for row in rows}) <= 1


def runs_finding(rows: Sequence[RunRow], total: int) -> str:
    """Return what the runs show: how many there are, and what the best of them reaches.

    Args:
        rows: the runs on screen.
        total: how many there are without filters.
    """
    if not rows:
        return f"None of the {counted(total)} runs matches the filters"
    count = counted(len(rows)) if len(rows) == total else f"{counted(len(rows))} of {counted(total)}"
    count = "1 run" if count == "1" else f"{count} runs"
    best = comparable(rows)
    if not best or (result := best[0].status.best) is None:
        return f"{count}, none of them finished yet" if len(rows) > 1 else f"{count}, not finished yet"
    name = model_phrase(best[0].config)
    accuracy = f"{percent(result.test_acc)} of the test nodes right"
    if len(finished(rows)) == 1:
        return f"{count}: {name} gets {accuracy}"
    place = "" if share_task(rows) else f"on {task_name(best[0].config.dataset)}, "
    return f"{count}: {place}{name} is best on the validation nodes and gets {accuracy}"


def ranking_note(rows: Sequence[RunRow], val_nodes: int) -> str:
    """Return how the best run was chosen, and how far that choice can be trusted; "" if none was.

    Args:
        rows: the runs that `runs_finding` speaks of.
        val_nodes: validation nodes of the best run's graph; 0 if the graph cannot be read.
    """
    best = comparable(rows)
    if len(best) < 2 or (result := best[0].status.best) is None:
        return ""
    note = f"Best is the highest validation accuracy, here {percent(result.val_acc)}"
    equal = [row for row in best[1:] if row.status.best and row.status.best.val_acc == result.val_acc]
    if equal:
        others = (
            f"{counted(len(equal))} others reach"
            if len(equal) > 1
            else f"{model_phrase(equal[0].config)} reaches"
        )
        note += f"; {others} the same, and the lower validation loss decides"
    note += ". The test nodes choose nothing."
    if val_nodes:
        error = 100 * math.sqrt(result.val_acc * (1 - result.val_acc) / val_nodes)
        note += (
            f" With {counted(val_nodes)} validation nodes that accuracy is known to about {error:.1f} "
            "percentage points (one standard error): what lies closer together may be luck."
        )
    return note


def validation_nodes(graph: Graph) -> int:
    """Return how many nodes of a graph are for validation."""
    return 0 if graph.val_mask is None else int(graph.val_mask.sum())
