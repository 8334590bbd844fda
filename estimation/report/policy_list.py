"""Write the folder of one list of cities (`citysync policy`): its page in two languages and its
tables.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from ..control_characters import visible
from ..csv_files import csv_text, frame_csv
from .data import ReportData
from .downloads import FILES
from .language import LANGUAGES
from .pages.catalog import Page
from .pages.policies import TEST, listed
from .queries import QUERIES
from .site import SCRIPTS, render_site

PLACES = ("row", "given", "city_id", "city", "start", "status", "reason")
DOWNLOADS = ("policies", "policy_overlaps")


def write_policy_list(folder: Path, frames: dict[str, pd.DataFrame], given: dict[str, Any]) -> None:
    """Write `index.html`, `zh/index.html`, `estimates.csv`, `cities.csv` and `rule.json`.

    Parameters
    ----------
    folder : made where it is missing
    frames : answers of the queries ``policy_test``, ``policy_overlap`` and ``run``
    given : what else the page says: name, outcome, places, n_taken, checks, weights, power,
    cautions, rule, rule_sha256, run_number, n_runs, p_value_runs, is_registered
    """
    empty = {
        name: pd.DataFrame(columns=query.columns.split(", ")) for name, query in QUERIES.items()
    }
    data = ReportData({**empty, **frames})
    for name in ("zh", "assets", "data/pages"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(SCRIPTS / "common.js", folder / "assets" / "common.js")
    text = json.dumps(given["rule"], ensure_ascii=False, indent=1, sort_keys=True)
    tables = ("places", "checks", "weights", "power")
    shown = {name: [{"ref": "", **row} for row in given[name]] for name in tables}
    page = Page("index", listed, (TEST, "policy_overlap"), template="listed")
    for language in LANGUAGES:
        said = {**given, **shown, "rule_text": text}
        for name, html in render_site(data, said, language, pages=(page,)):
            (folder / name).write_text(visible(html), encoding="utf-8", newline="\n")
    for name in DOWNLOADS:
        _write(folder / "data" / f"{name}.csv", frame_csv(data[FILES[name]]))
    # the page's p_value is that of the family
    named = data[TEST].assign(p_value=data[TEST]["p_single"]).drop(columns="p_single")
    _write(folder / "estimates.csv", frame_csv(named))
    rows = [[row[name] for name in PLACES] for row in given["places"]]
    _write(folder / "cities.csv", csv_text(PLACES, rows))
    rule = {**given["rule"], "sha256": given["rule_sha256"]}
    _write(folder / "rule.json", json.dumps(rule, ensure_ascii=False, indent=1) + "\n")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")
