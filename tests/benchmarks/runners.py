"""What a pair costs beside the stylizing under each runner, and what several workers give against one.

make bench-runners
make bench-runners ARGS="--pairs 50 --steps 20 --size 128"
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parent.parent.parent
COMMAND = str(Path(sys.executable).parent / "stylebatch")
RUNNERS = ("threads", "dask", "ray")


def write_manifest(folder: Path, pairs: int, size: int, steps: int) -> Path:
    """Pairs that differ by their seed only."""
    content, style = ROOT / "manifests/images/chelsea.jpg", ROOT / "manifests/styles/glass.jpg"
    manifest = folder / f"{pairs}-{size}-{steps}.yaml"
    manifest.write_text(
        f"defaults: {{size: {size}, steps: {steps}, init: noise}}\n"
        f"contents: {content}\nstyles: {style}\nsweep: {{seed: {list(range(pairs))}}}\n"
    )
    return manifest


def timed(manifest: Path, *options: str) -> tuple[float, float]:
    """Seconds of the whole command, and from the first picture's end to the last one's for each pair after it."""
    with tempfile.TemporaryDirectory() as out:
        began = time.perf_counter()
        command: list[str | Path] = [COMMAND, "run", manifest, "--out", out, "--quiet", *options]
        subprocess.run(command, check=True, env=os.environ)
        whole = time.perf_counter() - began
        ends = pd.read_parquet(Path(out) / "report.parquet")["finished_at"].sort_values()
        return whole, (ends.iloc[-1] - ends.iloc[0]).total_seconds() / (len(ends) - 1)


def main() -> None:
    """Print a line for each runner and number of slots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tiny = write_manifest(Path(folder), asked.pairs, 32, 1)
        real = write_manifest(Path(folder), asked.pairs // 3, asked.size, asked.steps)
        for what, manifest, slots in (("tiny", tiny, ("cpu",)), ("real", real, ("cpu", "2×cpu"))):
            for runner in RUNNERS:
                for devices in slots:
                    whole, each = timed(manifest, "--runner", runner, "--devices", devices)
                    line = {"pairs": what, "runner": runner, "devices": devices}
                    print(json.dumps(line | {"seconds": round(whole, 1), "ms a pair": round(1000 * each, 1)}))


if __name__ == "__main__":
    main()
