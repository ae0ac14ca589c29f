"""Measures the requested subjects and prints the table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

from benchmarks import (
    buckets,
    calls,
    door,
    fit,
    follow,
    imports,
    listing,
    log,
    memory,
    moxing,
    obs,
    signing,
    start,
    store,
)
from benchmarks.table import Row, printed

SUBJECTS: dict[str, Callable[[], Iterator[Row]]] = {
    "imports": imports.measure,
    "calls": calls.measure,
    "door": door.measure,
    "signing": signing.measure,
    "fit": fit.measure,
    "log": log.measure,
    "follow": follow.measure,
    "listing": listing.measure,
    "start": start.measure,
    "store": store.measure,
    "memory": memory.measure,
    "obs": obs.measure,
    "buckets": buckets.measure,
    "moxing": moxing.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Speed and memory against yardsticks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"subjects: {', '.join(SUBJECTS)}; default: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all samples to FILE, as JSON")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in SUBJECTS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(SUBJECTS)}")
    rows: list[Row] = []
    for name in dict.fromkeys(arguments.names or SUBJECTS):
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        rows += SUBJECTS[name]()
    print(printed(rows))
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
          "with a load above the number of cores the times include waiting for other processes")  # fmt: skip
    if arguments.json:
        arguments.json.write_text(json.dumps([row.as_json() for row in rows], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
