"""The optimizer in company against pairs alone, in one run and in turn: `make bench-company`.

For each size and number of pairs, a step of all of them together is timed, and then a step of each by itself, again and
again. The ratio of both is taken of each such round, so that what else the machine does falls on both alike.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from rich.console import Console
from rich.table import Table

from tests.benchmarks.searches import Company, jobs_of


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--together", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--precision", default="auto", choices=["auto", "float32", "bfloat16"])
    return parser.parse_args()


def ratios(size: int, count: int, rounds: int, precision: str) -> list[tuple[float, float, float]]:
    """Of each round: how many times as fast in company by the clock and by the processor, and its seconds a step."""
    jobs = jobs_of(size, count, "cpu", precision)
    together, alone = Company(jobs, "cpu"), [Company([job], "cpu") for job in jobs]
    found = []
    for number in range(rounds + 1):
        began, processor = time.perf_counter(), time.process_time()
        together.step()
        between, processor_between = time.perf_counter(), time.process_time()
        for one in alone:
            one.step()
        ended, processor_ended = time.perf_counter(), time.process_time()
        if number:  # the first step also builds what the others use
            faster = (ended - between) / (between - began)
            cheaper = (processor_ended - processor_between) / (processor_between - processor)
            found.append((faster, cheaper, (between - began) / count))
    return found


def main() -> None:
    arguments = parse_arguments()
    precision = jobs_of(64, 1, "cpu", arguments.precision)[0].settings.precision
    title = f"{precision}, {torch.get_num_threads()} threads, {arguments.rounds} rounds"
    table = Table("size", "pairs", "ms a pair and step", "times as fast", "by the processor's time", title=title)
    for size in arguments.sizes:
        for count in arguments.together:
            faster, cheaper, seconds = zip(*ratios(size, count, arguments.rounds, precision), strict=True)
            medians = (f"{statistics.median(one):.2f}" for one in (faster, cheaper))
            table.add_row(str(size), str(count), f"{1e3 * statistics.median(seconds):.0f}", *medians)
    Console().print(table)


if __name__ == "__main__":
    main()
