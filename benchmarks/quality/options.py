"""Command-line options that the two benchmarks of planted defects share."""

from __future__ import annotations

import argparse
from pathlib import Path


def common_parser(program: str, description: str | None, runs: int) -> argparse.ArgumentParser:
    """A parser with runs, landing, sources, landings and document."""
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument(
        "--runs", type=int, default=runs, help="mixed runs for each landing and number of sources"
    )
    parser.add_argument(
        "--landing",
        type=Path,
        help="folder of delivered files, measured beside the simulated landing",
    )
    parser.add_argument("--sources", nargs="*", default=["two", "one"], choices=["two", "one"])
    parser.add_argument("--only", choices=["simulated", "real"])
    parser.add_argument("--docs", type=Path, help="document to write the tables into")
    return parser


def landings_asked(chosen: argparse.Namespace) -> list[str]:
    """Names of the landings to measure; the real one only where files were given."""
    return [
        name
        for name in ("simulated", "real")
        if (name == "simulated" or chosen.landing) and chosen.only in (None, name)
    ]
