"""How many intervals hold their truth on simulated data: in this economy, and over the many that
were measured.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .tables import COLUMNS, Rows, typed

# Measured once (docs/evidence/simulated-landing.md); `measured_with` says from which code.
MEASURED = Path(__file__).resolve().parents[1] / "analyses" / "simulated_landing.csv"
KEYS = ["spec_id", "term", "cohort_year", "event_time"]
THIS, MANY = "this_economy", "many_economies"
HOLDS = "truth_in_interval"
EVERY = "every_coefficient"
LINES = ("default", "permutation")


def build_coverage(
    estimate: pd.DataFrame, primary: pd.DataFrame, channel: pd.DataFrame, truth: pd.DataFrame
) -> pd.DataFrame:
    """Return counts of intervals that hold their truth.

    Parameters
    ----------
    estimate, primary, channel, truth : DataFrame
        Of the schema `estimates`, the two in the middle with their truths.

    Returns
    -------
    DataFrame
        ``estimates.coverage``; empty where there is no truth, that is for delivered files.
        Intervals of one economy share its shocks, so no error is given for it.
    """
    if truth.empty:
        return typed([], COLUMNS["coverage"])
    return typed(
        [*_of_coefficients(estimate, truth), *_of_primary(primary, channel), *_measured()],
        COLUMNS["coverage"],
    )


def _of_coefficients(estimate: pd.DataFrame, truth: pd.DataFrame) -> Rows:
    """Return all coefficients, then each analysis, under the default method and the permutation."""
    joined = (
        _keyed(estimate)
        .merge(_keyed(truth)[[*KEYS, "truth"]], on=KEYS, how="inner")
        .dropna(subset=["ci_low", "ci_high", "truth"])
    )
    joined = joined.assign(
        holds=(joined["ci_low"] <= joined["truth"]) & (joined["truth"] <= joined["ci_high"])
    )
    rows: Rows = []
    for line in LINES:
        chosen = joined[
            joined["is_default"].fillna(False).astype(bool)
            if line == "default"
            else joined["vcov"] == line
        ]
        if len(chosen):
            rows.append(_row(EVERY, line, chosen["holds"]))
        rows += [
            _row(analysis, line, part["holds"])
            for analysis, part in chosen.groupby("analysis", sort=True)
        ]
    return rows


def _keyed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with a number where a cohort or an event time is missing, so that missing
    ones meet.
    """
    return frame.assign(
        **{
            name: frame[name].astype("Float64").fillna(-9999).astype(int)
            for name in ("cohort_year", "event_time")
        }
    )


def _of_primary(primary: pd.DataFrame, channel: pd.DataFrame) -> Rows:
    """Return the primary test and each channel, over windows and series."""
    rows: Rows = []
    for name, frame in (("primary", primary), *channel.groupby("channel", sort=True)):
        known = frame.dropna(subset=["ci_low", "ci_high", "truth"])
        if len(known):
            line = "primary" if name == "primary" else "channel"
            rows.append(
                _row(
                    str(name),
                    line,
                    (known["ci_low"] <= known["truth"]) & (known["truth"] <= known["ci_high"]),
                )
            )
    return rows


def _row(coefficients: str, line: str, holds: pd.Series) -> dict[str, Any]:
    counts = {
        "n": len(holds),
        "n_yes": int(holds.sum()),
        "share": float(holds.astype(float).mean()),
    }
    names = {"scope": THIS, "quantity": HOLDS, "coefficients": coefficients, "line": line}
    return {**names, **counts, "monte_carlo_error": None, "measured_with": None}


def _measured() -> Rows:
    """Return what was measured over many economies."""
    measured = pd.read_csv(MEASURED)
    share = measured["n_yes"] / measured["n"]
    error = np.sqrt(share * (1 - share) / measured["n"])
    rows = measured.assign(scope=MANY, share=share, monte_carlo_error=error)
    return rows.to_dict("records")
