"""One thread against two, on an idle machine and beside processes that keep every core busy.

Each number of threads gets processes of its own, in turns, with the environment that the engine gives to its
workers; a ratio is a round's. What is chosen by default is in `gnnviz.engine`.

Run: python -m benchmarks.threads [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from benchmarks.layers import stepper
from benchmarks.rounds import milliseconds, spread
from gnnviz.datasets import load_graph
from gnnviz.models import ModelConfig, build_model

MODELS = {
    "GCN, 2 layers": ModelConfig("gcn", 2),
    "GCN, 16 layers": ModelConfig("gcn", 16),
    "GAT 8x8, 2 layers": ModelConfig("gat", 2, heads=8),
}
STEPS = 20
BUSY = "while True: pass"


def measure(name: str, threads: int) -> float:
    """Return the median time of a training step and evaluation, in milliseconds."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    graph = load_graph("cora").to_torch()
    model = build_model(MODELS[name], graph.x.shape[1], 7)
    step = stepper(model, lambda: model(graph.x, graph), graph)
    milliseconds(step, 5)
    return statistics.median(milliseconds(step, 1) for _ in range(STEPS))


def measured(name: str, threads: int) -> float:
    """Return `measure` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.threads", "--measure", name, "--threads", str(threads)]
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(done.stdout)


@contextmanager
def busy_cores(count: int) -> Iterator[None]:
    """Keep `count` cores busy in the block."""
    others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", choices=list(MODELS), help="measure one model, print it")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.measure:
        print(measure(arguments.measure, arguments.threads))
        return
    cores = os.cpu_count() or 1
    print("| step | machine | 1 thread, ms | 2 threads, ms | ratio |\n| --- | --- | --- | --- | --- |")
    for machine, others in (("idle", 0), ("busy", cores)):
        with busy_cores(others):
            for name in MODELS:
                pairs = [(measured(name, 1), measured(name, 2)) for _ in range(arguments.rounds)]
                one, two = zip(*pairs, strict=True)
                ratios = [single / double for single, double in pairs]
                print(
                    f"| {name} | {machine} | {spread(one)} | {spread(two)} | {spread(ratios)} |", flush=True
                )


if __name__ == "__main__":
    main()
