"""Regression tables as economists set them: estimate, (standard error), [permutation p]; then
effects, N, pairs, cities, pilots.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from ..table_formats import Table
from .cells import NOTHING, Row, number, rows_of, shown
from .data import ReportData
from .language import Words
from .shown_specs import HEADLINE, OFFICIAL, OVERALL, PRIMARY

DAGGER = "†"
# rows of estimate, error and p come before
FIRST_OF_SAMPLE = 3


def _variants(analysis: str, outcome: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{analysis}.{outcome}.{name}" for name in names)


_PARTS = ("cm", "comove", "dispersion")
TABLES: dict[str, tuple[str, ...]] = {
    "headline": (
        PRIMARY,
        *(f"baseline.{part}_growth_official.headline" for part in _PARTS),
        "primary.cm_growth_deflated.newest",
        "baseline.cm_growth_deflated.headline",
    ),
    "treatment_rules": (
        HEADLINE,
        *_variants("baseline", OFFICIAL, "calendar_year"),
        *_variants(
            "robustness",
            OFFICIAL,
            "any_zone",
            "late_left_out",
            "window_2005_2019",
            "window_2010_2021",
        ),
    ),
    "ties": (
        *_variants("baseline", OFFICIAL, "all_pairs", "headline"),
        *_variants("matching", OFFICIAL, "q75", "four_factor", "near", "weak"),
    ),
    # imputation, Gardner and the extended two-way regression are the same numbers: one column
    "estimators": (
        HEADLINE,
        *_variants("robustness", OFFICIAL, "callaway_santanna", "sun_abraham", "borusyak"),
    ),
    "mechanisms": tuple(
        f"mechanisms.{outcome}.headline"
        for outcome in (
            "neg_abs_gap_labour_allocation",
            "mean_labour_misallocation",
            "neg_abs_gap_capital_allocation",
            "neg_abs_gap_ln_wage",
            "neg_abs_gap_ln_credit_per_head",
            "neg_abs_gap_ln_fdi_per_head",
        )
    ),
    "other_outcomes": tuple(
        f"alternative_outcomes.{part}_{series}.headline"
        for series, part in product(
            ("growth_employed", "growth_wage", "development_index"), ("cm", "comove")
        )
    ),
    "rival_explanations": (
        *_variants(
            "confounders",
            OFFICIAL,
            "given_all_policies",
            "without_free_trade_zone",
            "without_low_carbon",
            "without_guangdong",
        ),
        *_variants("leave_out", OFFICIAL, "without_cohort_2016"),
        *_variants("confounders", OFFICIAL, "doubly_robust"),
    ),
    "spillovers": _variants(
        "spillovers",
        OFFICIAL,
        *(f"near_pilot_{km}" for km in (100, 200, 300)),
        "tied_to_pilot",
        *(f"controls_beyond_{km}_km" for km in (100, 200)),
    ),
}


def build_table(data: ReportData, words: Words, name: str) -> Table | None:
    """Fill a table from the estimates; None where none of its specs was estimated.

    Parameters
    ----------
    data : ReportData
    words : Words
    name : a key of TABLES; a spec of it that was not run is a column of dashes
    """
    coefficients = {
        row["spec_id"]: row for row in rows_of(data, "coefficient") if row["term"] in OVERALL
    }
    primary = {row["spec_id"]: row for row in rows_of(data, "primary")}
    specs = TABLES[name]
    found = [primary.get(spec_id) or coefficients.get(spec_id) or {} for spec_id in specs]
    if all(number(row.get("estimate")) is None for row in found):
        return None
    estimates = [_cell(row, "estimate", "4") for row in found]
    for k, row in enumerate(found):
        if _rejects(primary, row):
            estimates[k] += DAGGER
    rows = [
        (words.plain("table.admission"), estimates),
        ("", [_cell(row, "std_error", "4", "({})") for row in found]),
        ("", [_cell(row, _p_column(row), "p", "[{}]") for row in found]),
    ]
    for effect in ("pair", "year"):
        said = [NOTHING] * len(found)
        for k, row in enumerate(found):
            if row:
                said[k] = words.plain(f"table.{_effect(row, effect)}")
        rows.append((words.plain(f"table.{effect}_effects"), said))
    for count in ("n_obs", "n_pairs", "n_cities", "n_pilots"):
        rows.append((words.plain(f"label.{count}"), [_cell(row, count, "int") for row in found]))
    title = words.plain(f"tables.{name}")
    if data.is_simulated:
        title = words.plain("label.with_note", text=title, note=words.plain("label.simulated"))
    notes = f"{words.plain('result.table_note')} {words.withheld_note(found)}".strip()
    notes = notes.replace("。 ", "。")
    lines = tuple((label, tuple(cells)) for label, cells in rows)
    return Table(title, _headers(words, specs, primary), lines, FIRST_OF_SAMPLE, (notes,))


def _headers(words: Words, specs: Sequence[str], primary: dict[str, Row]) -> tuple[str, ...]:
    same = len({spec_id.split(".")[1] for spec_id in specs}) == 1
    headers = []
    for spec_id in specs:
        analysis, outcome, variant = spec_id.split(".")
        name = words.name("variants", variant)
        if analysis == "primary":
            name = words.plain("table.primary")
        if (row := primary.get(spec_id)) is not None:
            span = {"first": int(row["first_year"]), "last": int(row["last_year"])}
            name = words.plain("label.with_years", text=name, **span)
        headers.append(
            name
            if same
            else words.plain("terms.of_class", kind=words.outcome(outcome), of=name)
            if analysis in ("primary", "baseline")
            else words.outcome(outcome)
        )
    return tuple(headers)


def _rejects(primary: dict[str, Row], row: dict[str, Any]) -> bool:
    """Return whether the primary test of the column's outcome, in the newest window, finds a
    change; other windows and parts have no mark.
    """
    spec_id = row.get("spec_id", "")
    own = primary.get(spec_id) or primary.get(f"primary.{row.get('outcome')}.newest")
    is_other = "window_" in spec_id.rsplit(".", 1)[-1]
    return own is not None and not is_other and own["verdict"] == "found"


def _p_column(row: dict[str, Any]) -> str:
    return "p_permutation" if "p_permutation" in row else "p_value"


def _effect(row: dict[str, Any], effect: str) -> str:
    if "vcov" in row:
        return "yes"
    return "city" if effect == "pair" else "province_year"


def _cell(row: dict[str, Any], column: str, form: str, around: str = "{}") -> str:
    return NOTHING if row.get(column) is None else around.format(shown(row[column], form))
