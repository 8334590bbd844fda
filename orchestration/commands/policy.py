"""`citysync policy FILE` and `citysync register FILE`: the primary test for a list of cities, and a
list that is written down before its data.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from estimation.analyses.own_outcomes import OUTCOMES
from estimation.analyses.primary import DECLARED, PRIMARY
from estimation.defaults import DRAWS, LEVEL
from estimation.inference.multiple_testing import holm
from estimation.panel.panel_error import PanelError
from estimation.policy.fit_policy import PolicyResult
from estimation.policy.listing import (
    IN_PANEL,
    SYNCHRONIZATION,
    Names,
    PolicyList,
    read_list,
)
from estimation.primary.detectable import power_curve
from estimation.primary.written_rule import text_and_hash
from estimation.report.policy_list import write_policy_list
from estimation.sample.marts import Marts, read_marts
from estimation.study.policies import (
    evaluate,
    overlap_rows,
    rows_of_list,
    written_rule,
)
from estimation.study.primary import in_words_of_the_study
from estimation.study.tables import COLUMNS, typed
from estimation.study.windows import window_of
from orchestration.home import Home
from orchestration.publication_folders import opened
from orchestration.registered_lists import count_run, read_registered, write_registered
from orchestration.terminal import Exit, end_command, say
from warehouse.errors import Refused
from warehouse.ingest.place_names import (
    place_key,
    read_place_names,
    read_province_names,
    six_digit_code,
)

NAMES = (SYNCHRONIZATION, *(outcome.name for outcome in OUTCOMES))
SETTINGS = {"permutations": DRAWS, "seed": 1}
OF_RUN = ("run_id", "git_commit", "started_at", "is_simulated")
POWER_DRAWS, POWER_PERMUTATIONS = 100, 199
(SPEC,) = (one for one in DECLARED if one.spec_id == PRIMARY)
CITIES = "select city_id, city_name_zh, city_name_en, province_id from marts.dim_city"


def policy(file: str, outcome: str | None, output: str | None) -> int:
    """Test a list on the current publication and write the folder of its page.

    Parameters
    ----------
    file : str
        CSV with `city` and `year` or `date`, optional `end`, `scope`, `outcome`.
    outcome : str or None
        One of `NAMES`; default what the list declares, else synchronization.
    output : str or None
        Folder; default: the name of the list.

    Returns
    -------
    Exit
        0, also where the rules refuse the list: the last line says why.

    Raises
    ------
    Refused
        If the file or the outcome cannot be used, or a place is unknown.
    """
    home, path = Home.from_environment(), Path(file)
    folder = Path(output or path.stem)
    with opened(home) as publication, publication.connect() as con:
        listed, cities = _read(con, path)
        declared = _outcome(listed, outcome)
        marts = read_marts(con, [SPEC])
        result = evaluate(marts, SPEC, listed, SETTINGS)
        rows = _rows(marts, path.stem, result, declared)
    manifest = publication.manifest
    rule = {**result.rule, "outcome": declared}
    # a list under another name is the same run
    _, run = text_and_hash(rule)
    rule["name"] = path.stem
    _, digest = text_and_hash(rule)
    p_value = rows[0]["p_value_family"]
    if p_value is None:
        p_value = rows[0]["p_value"]
    given = {"sha256": run, "p_value": p_value, "name": path.stem}
    runs, place = count_run(home.archive, manifest["run_id"], given)
    corrected = holm(np.array([one["p_value"] for one in runs], dtype=float))[place]
    places = [
        {**vars(one), "city_id": one.unit, "city": cities.get(one.unit, "")}
        for one in result.sample.places
    ]
    answer = {
        "name": path.stem,
        "outcome": declared,
        "places": places,
        "n_taken": result.result.n_pilots,
        "checks": _checks(result),
        "weights": list(result.weights),
        "power": _power(result, declared),
        "cautions": result.cautions,
        "rule": rule,
        "rule_sha256": digest,
        "run_number": place + 1,
        "n_runs": len(runs),
        "p_value_runs": None if p_value is None else float(corrected),
        "is_registered": _is_registered(home, manifest, declared, listed, result),
    }
    tests = typed(rows, COLUMNS["policy"])
    overlaps = overlap_rows(path.stem, result)
    frames = {
        # as the report's query of the table answers
        "policy_test": tests.assign(p_single=tests["p_value"], p_value=tests["p_value_family"]),
        "policy_overlap": pd.DataFrame(overlaps, columns=list(COLUMNS["policy_overlap"])),
        "run": pd.DataFrame([{name: manifest[name] for name in OF_RUN}]),
    }
    write_policy_list(folder, frames, answer)
    _say(result, rows[0], answer, folder)
    shown = "no figure" if p_value is None else f"p {p_value:.4f}"
    reason = f"run {place + 1} of {len(runs)} on these data, {shown}"
    if p_value is not None:
        reason += f", corrected for all {corrected:.4f}"
    return end_command(Exit.DONE, f"{reason}; {folder / 'index.html'}")


def register(file: str) -> int:
    """Write a list down for the window that the next year of figures opens.

    Raises
    ------
    Refused
        As `policy`, and where the same rule is registered already.
    """
    home, path = Home.from_environment(), Path(file)
    with opened(home) as publication, publication.connect() as con:
        listed, _ = _read(con, path)
        _outcome(listed, SYNCHRONIZATION)
        last_year = window_of(read_marts(con, [SPEC]), SPEC)[1] + 1
    rule = written_rule(path.stem, listed.starts, last_year, SETTINGS)
    _, digest = text_and_hash(rule)
    entry = {
        "name": path.stem,
        "sha256": digest,
        "rule": rule,
        "registered_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "written_by": publication.manifest["run_id"],
        "is_simulated": publication.manifest["is_simulated"],
    }
    written = write_registered(home.archive, entry)
    if written is None:
        raise Refused(f"{path}: expected a new list, found one whose rule {digest} is registered")
    for one in listed.places:
        if one.status not in IN_PANEL:
            say(f"  row {one.row}, {one.given}: {one.reason}")
    return end_command(
        Exit.DONE,
        f"{len(listed.starts)} cities registered for the window to {last_year}, sha256 {digest}, "
        f"in {written}",
    )


def _read(con: duckdb.DuckDBPyConnection, path: Path) -> tuple[PolicyList, dict[int, str]]:
    """Return the list, and the Chinese name of each city."""
    rows = con.execute(CITIES).fetchall()
    try:
        listed = read_list(path, _names(rows))
    except PanelError as error:
        raise Refused(str(error)) from None
    return listed, {city: chinese for city, chinese, _, _ in rows}


def _names(rows: Sequence[tuple]) -> Names:
    """Return cities and provinces by code or by any spelling of the seeds."""
    ids = {city for city, *_ in rows}
    places = read_place_names()
    spellings = {key: city for key, city in places.aliases.items() if city in ids}
    of_province: dict[int, list[int]] = {}
    known = []
    for city, chinese, english, province in rows:
        of_province.setdefault(province, []).append(city)
        for name in (chinese, english):
            if name:
                known.append(name)
                spellings.setdefault(place_key(name), city)
    provinces = read_province_names()

    def find(text: str) -> tuple[int | None, list[int]]:
        code = six_digit_code(text)
        key = place_key(text)
        city = spellings.get(key)
        if code is not None:
            city = places.codes.get(code, code)
        if city not in ids:
            city = None
        return city, of_province.get(provinces.get(key, code), [])

    return Names(find, known, "city", "province")


def _outcome(listed: PolicyList, outcome: str | None) -> str:
    """Return the one outcome that is declared, in the list or behind the command."""
    declared = listed.outcome or outcome or SYNCHRONIZATION
    if outcome and declared != outcome:
        raise Refused(
            f"outcome: expected the one that the list declares ({declared}), found {outcome!r}; "
            "give one of the two"
        )
    if declared not in NAMES:
        raise Refused(f"outcome: expected one of {', '.join(NAMES)}; found {declared!r}")
    return declared


def _rows(marts: Marts, name: str, result: PolicyResult, declared: str) -> list[dict[str, Any]]:
    """Return rows of the declared outcome, for synchronization also those reported with it."""
    rows = rows_of_list(marts, SPEC, name, result, SETTINGS)
    if declared == SYNCHRONIZATION or result.result.p_value is None:
        return rows
    (own,) = [row for row in rows if row["outcome"] == declared]
    # it was declared alone, so nothing is corrected
    alone = {"family": None, "family_size": None, "p_value_family": own["p_value"]}
    alone["reason"] = in_words_of_the_study(own["reason"] or "")
    return [own | alone | {"is_found": own["p_value"] is not None and own["p_value"] < LEVEL}]


def _is_registered(
    home: Home,
    manifest: dict[str, Any],
    declared: str,
    listed: PolicyList,
    result: PolicyResult,
) -> bool:
    """Return whether the same starts were registered for a window that these data reach."""
    entries = read_registered(home.archive, is_simulated=manifest["is_simulated"])
    reached = {
        entry["rule"]["starts_sha256"]
        for entry in entries
        if entry["rule"]["last_year"] <= result.rule["window"][1]
    }
    # a registered list holds its cities without figures, too
    today = written_rule("", listed.starts, 0, SETTINGS)
    return declared == SYNCHRONIZATION and today["starts_sha256"] in reached


def _checks(result: PolicyResult) -> list[dict[str, Any]]:
    """Return checks and placebos, a row each."""
    rows = [{**vars(one), "name": name} for name, one in result.checks]
    for row in result.placebos:
        name = "moved_back" if row["placebo"] == "time" else row["name"]
        rows.append({**row, "name": name})
    return rows


def _power(result: PolicyResult, declared: str) -> list[dict[str, Any]]:
    """Return how often imposed effects are found on pseudo-lists of the panel."""
    if result.result.p_value is None or declared != SYNCHRONIZATION:
        return []
    sample = result.sample
    given = (sample.growth, sample.years, sample.cohort, sample.block)
    return power_curve(*given, draws=POWER_DRAWS, permutations=POWER_PERMUTATIONS)


def _say(result: PolicyResult, row: dict[str, Any], answer: dict[str, Any], folder: Path) -> None:
    """What was taken, what was found, and cautions, for the terminal."""
    for one in answer["places"]:
        if one["reason"]:
            say(f"  row {one['row']}, {one['given']}: {one['status']}. {one['reason']}")
    for reason in result.sample.reasons:
        say(f"  {reason}")
    if row["reason"] and not result.sample.reasons:
        named = answer["outcome"]
        if row["first_year"] is not None:
            named += f", {row['first_year']}-{row['last_year']}"
        say(f"  {named}: {row['reason']}")
    if row["estimate"] is not None:
        say(
            f"  {answer['outcome']}, {row['first_year']}-{row['last_year']}: {row['n_pilots']} of "
            f"{row['n_cities']} cities, change {row['estimate']:+.4f}"
        )
    for text in answer["cautions"]:
        say(f"  caution: {text}")
