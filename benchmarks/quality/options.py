"""Command-line options that the two benchmarks of planted defects share."""

from __future__ import annotations

import argparse
from pathlib import Path

SOURCES = ("two", "one")


def common_parser(program: str, description: str | None, runs: int) -> argparse.ArgumentParser:
    """A parser with runs and landing."""
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument(
        "--runs", type=int, default=runs, help="mixed runs for each landing and number of sources"
    )
    parser.add_argument(
        "--landing",
        type=Path,
        help="folder of delivered files, measured beside the simulated landing",
    )
    return parser


def landings_asked(chosen: argparse.Namespace) -> tuple[str, ...]:
    """Names of the landings to measure; the real one only where files were given."""
    return ("simulated", "real") if chosen.landing else ("simulated",)
