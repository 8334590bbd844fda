"""Regression tables as economists set them: estimate, (standard error), [permutation p]; then
effects, N, pairs, cities, pilots.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from ..exhibits import Table
from .analyses_names import HEADLINE, PRIMARY
from .cells import NOTHING, Row, number, rows_of, shown
from .data import ReportData
from .language import Words
from .withheld import withheld_note

OFFICIAL = "cm_growth_official"
DAGGER = "†"
# rows of estimate, error and p come before
FIRST_OF_SAMPLE = 3
# terms that are one overall effect
OVERALL = ("treated", "att")


@dataclass(frozen=True)
class Cell:
    """A cell: what it says, and the query and column it is from (empty where it is no number)."""

    text: str
    ref: str = ""
    column: str = ""
    form: str = ""
    mark: str = ""
    around: str = "{}"

    @property
    def full(self) -> str:
        """The text as it stands in the table."""
        return NOTHING if self.text == NOTHING else self.around.format(self.text) + self.mark


@dataclass(frozen=True)
class JournalTable:
    """A table: a header and a column a specification, rows of a label and cells; a row without
    label continues the one above.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    notes: str

    @property
    def plain(self) -> Table:
        """The table as text alone, for files."""
        rows = [(label, tuple(cell.full for cell in cells)) for label, cells in self.rows]
        return Table(self.title, self.headers, tuple(rows), FIRST_OF_SAMPLE, (self.notes,))


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
        for series in ("growth_employed", "growth_wage", "development_index")
        for part in ("cm", "comove")
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


def headline_table(data: ReportData, words: Words) -> JournalTable | None:
    """The headline table in the words of a page."""
    return build_table(data, words, "headline")


def build_table(data: ReportData, words: Words, name: str) -> JournalTable | None:
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
    found: list[Row | None] = [
        primary.get(spec_id) or coefficients.get(spec_id) for spec_id in specs
    ]
    if all(row is None or number(row["estimate"]) is None for row in found):
        return None
    marks = [DAGGER if row is not None and _rejects(primary, row) else "" for row in found]
    rows = [
        (
            words.plain("table.admission"),
            tuple(
                _cell(row, "estimate", "4", mark) for row, mark in zip(found, marks, strict=True)
            ),
        )
    ]
    rows.append(("", tuple(_cell(row, "std_error", "4", around="({})") for row in found)))
    rows.append(("", tuple(_cell(row, _p_column(row), "p", around="[{}]") for row in found)))
    for effect in ("pair", "year"):
        said = tuple(
            Cell(NOTHING if row is None else words.plain(f"table.{_effect(row, effect)}"))
            for row in found
        )
        rows.append((words.plain(f"table.{effect}_effects"), said))
    for count in ("n_obs", "n_pairs", "n_cities", "n_pilots"):
        rows.append(
            (words.plain(f"label.{count}"), tuple(_cell(row, count, "int") for row in found))
        )
    title = words.plain(f"tables.{name}")
    title = f"{title} ({words.plain('label.simulated')})" if data.is_simulated else title
    notes = (
        f"{words.plain('result.table_note')} {withheld_note(words, filter(None, found))}".strip()
    )
    return JournalTable(title, _headers(words, specs), tuple(rows), notes)


def _headers(words: Words, specs: Sequence[str]) -> tuple[str, ...]:
    outcomes = {spec_id.split(".")[1] for spec_id in specs}
    headers = []
    for spec_id in specs:
        analysis, outcome, variant = spec_id.split(".")
        name = words.name("variants", variant)
        name = words.plain("table.primary") if analysis == "primary" else name
        same = len(outcomes) == 1
        headers.append(
            name
            if same
            else f"{words.outcome(outcome)}: {name}"
            if analysis in ("primary", "baseline")
            else words.outcome(outcome)
        )
    return tuple(headers)


def _rejects(primary: dict[str, Row], row: Row) -> bool:
    """Whether the primary test of the column's outcome, in the newest window, finds a change; other
    windows and parts have no mark.
    """
    spec_id = row["spec_id"]
    own = primary.get(spec_id) or primary.get(f"primary.{row['outcome']}.newest")
    return (
        own is not None
        and "window_" not in spec_id.rsplit(".", 1)[-1]
        and own["verdict"] == "found"
    )


def _p_column(row: Row | None) -> str:
    return "p_permutation" if row is not None and "p_permutation" in row else "p_value"


def _effect(row: Row, effect: str) -> str:
    if "vcov" in row:
        return "yes"
    return "city" if effect == "pair" else "province_year"


def _cell(row: Row | None, column: str, form: str, mark: str = "", around: str = "{}") -> Cell:
    if row is None or row.get(column) is None:
        return Cell(NOTHING)
    return Cell(shown(row[column], form), row.ref, column, form, mark, around)


def to_html(table: JournalTable) -> str:
    """The table as one HTML fragment; every number names the query and column it is from."""
    head = "".join(
        f'<th scope="col">({k}) {html.escape(text)}</th>'
        for k, text in enumerate(table.headers, start=1)
    )
    body = "".join(
        f'<tr><th scope="row">{html.escape(label)}</th>'
        + "".join(_html_cell(cell) for cell in cells)
        + "</tr>\n"
        for label, cells in table.rows
    )
    notes = (
        "<tfoot><tr><td "
        f'colspan="{len(table.headers) + 1}">{html.escape(table.notes)}</td></tr></tfoot>'
    )
    caption = f"<caption>{html.escape(table.title)}</caption>"
    return (
        "<table "
        f'class="journal">\n{caption}\n<thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n{notes}\n</table>\n'
    )


def _html_cell(cell: Cell) -> str:
    if not cell.ref:
        return f"<td>{html.escape(cell.full)}</td>"
    inside = (
        f'<span class="num" data-q="{html.escape(cell.ref)}" '
        f'data-c="{cell.column}:{cell.form}">{html.escape(cell.text)}</span>'
    )
    return f"<td>{cell.around.format(inside)}{cell.mark}</td>"
