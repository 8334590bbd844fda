"""Regression tables in the layout of a journal: a column a specification, its lines of inference below the coefficient, then the sample."""

from __future__ import annotations

import html
from dataclasses import dataclass

import pandas as pd

from .exhibit_data import ExhibitData

LINES = {
    "province_jackknife": "province jackknife",
    "city": "city",
    "dyadic": "dyadic",
    "permutation": "permutation",
    "conventional": "clustered by pair, contrast only",
}
OVERALL = ("treated", "att")
SIMULATED = "SIMULATED DATA: no finding"
NOTES = (
    "Standard errors in parentheses, p in brackets; * marks the default line of inference of a column. "
    "The jackknife's t has the degrees of freedom of the design. "
    "An effect counts as significant only where the default line and the permutation are two lines and both reject. "
    "A column without errors and p has tests that do not hold their size: its estimate is a description."
)


@dataclass(frozen=True)
class Layout:
    """Which specs a table shows: a header and a spec_id a column."""

    title: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class JournalTable:
    """A table as text: headers, then rows of a label and one cell a column; a row without label continues the one above."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    notes: str


def _split(headline: str, variant: str) -> tuple[tuple[str, str], ...]:
    measures = (("cm", "synchronization"), ("comove", "co-movement"), ("dispersion", "dispersion"))
    return tuple(
        (f"{name}, {series}", f"{headline}.{measure}_growth_{series}.{variant}")
        for series in ("official", "deflated")
        for measure, name in measures
    )


OFFICIAL = "cm_growth_official"
TABLES = {
    "headline": Layout("Admission and synchronization: the headline and its exact split", _split("baseline", "headline")),
    "treatment_rules": Layout(
        "The headline under other treatment rules, control groups and samples",
        (
            ("headline", f"baseline.{OFFICIAL}.headline"),
            ("calendar year", f"baseline.{OFFICIAL}.calendar_year"),
            ("any zone", f"robustness.{OFFICIAL}.any_zone"),
            ("later pilots left out", f"robustness.{OFFICIAL}.late_left_out"),
            ("2005-2019", f"robustness.{OFFICIAL}.window_2005_2019"),
            ("2010-2021", f"robustness.{OFFICIAL}.window_2010_2021"),
        ),
    ),
    "ties": Layout(
        "The headline under other rules of ties",
        (
            ("all pairs", f"baseline.{OFFICIAL}.all_pairs"),
            ("above median", f"baseline.{OFFICIAL}.headline"),
            ("top quarter", f"matching.{OFFICIAL}.q75"),
            ("four-factor", f"matching.{OFFICIAL}.four_factor"),
            ("near", f"matching.{OFFICIAL}.near"),
            ("weak (placebo)", f"matching.{OFFICIAL}.weak"),
        ),
    ),
    "estimators": Layout(
        "The headline by other estimators",
        (
            ("two-way", f"baseline.{OFFICIAL}.headline"),
            ("Callaway-Sant'Anna", f"robustness.{OFFICIAL}.callaway_santanna"),
            ("Sun-Abraham", f"robustness.{OFFICIAL}.sun_abraham"),
            ("Borusyak et al.", f"robustness.{OFFICIAL}.borusyak"),
            ("Gardner", f"robustness.{OFFICIAL}.gardner"),
            ("ETWFE", f"robustness.{OFFICIAL}.etwfe"),
        ),
    ),
    "mechanisms": Layout(
        "Resource reallocation: pair gaps (minus their size) and the misallocation of a pair",
        (
            ("labour allocation", "mechanisms.neg_abs_gap_labour_allocation.headline"),
            ("labour misallocation", "mechanisms.mean_labour_misallocation.headline"),
            ("capital allocation", "mechanisms.neg_abs_gap_capital_allocation.headline"),
            ("wages", "mechanisms.neg_abs_gap_ln_wage.headline"),
            ("credit a head", "mechanisms.neg_abs_gap_ln_credit_per_head.headline"),
            ("foreign investment a head", "mechanisms.neg_abs_gap_ln_fdi_per_head.headline"),
        ),
    ),
    "other_outcomes": Layout(
        "Synchronization of series that are not made from reported GDP, and of the development index",
        tuple(
            (f"{name}, {part}", f"alternative_outcomes.{part}_{series}.headline")
            for series, name in (("growth_employed", "employment"), ("growth_wage", "wages"), ("development_index", "development"))
            for part in ("cm", "comove")
        ),
    ),
    "rival_explanations": Layout(
        "The headline beside other programmes and against cities that were alike",
        (
            ("given four programmes", f"confounders.{OFFICIAL}.given_all_policies"),
            ("without free trade zones", f"confounders.{OFFICIAL}.without_free_trade_zone"),
            ("without low-carbon cities", f"confounders.{OFFICIAL}.without_low_carbon"),
            ("without Guangdong", f"confounders.{OFFICIAL}.without_guangdong"),
            ("without the cohort of 2016", f"leave_out.{OFFICIAL}.without_cohort_2016"),
            ("doubly robust", f"confounders.{OFFICIAL}.doubly_robust"),
        ),
    ),
    "spillovers": Layout(
        "Never-pilots near or tied to a pilot against far ones, and the headline with far controls",
        (
            ("0-100 km", f"spillovers.{OFFICIAL}.near_pilot_100"),
            ("100-200 km", f"spillovers.{OFFICIAL}.near_pilot_200"),
            ("200-300 km", f"spillovers.{OFFICIAL}.near_pilot_300"),
            ("tied to a pilot", f"spillovers.{OFFICIAL}.tied_to_pilot"),
            ("controls beyond 100 km", f"spillovers.{OFFICIAL}.controls_beyond_100_km"),
            ("controls beyond 200 km", f"spillovers.{OFFICIAL}.controls_beyond_200_km"),
        ),
    ),
}


def build_table(data: ExhibitData, layout: Layout) -> JournalTable | None:
    """Fill a layout from the estimates; None where none of its specs was estimated.

    Parameters
    ----------
    data : ExhibitData
    layout : Layout
        A column whose spec was not run shows dashes.
    """
    estimate = data["estimate"]
    own = [estimate[(estimate["spec_id"] == spec_id) & estimate["term"].isin(OVERALL)] for _, spec_id in layout.columns]
    if all(rows.empty for rows in own):
        return None
    rows = [("admission", tuple(_coefficient(part) for part in own))]
    for vcov, label in LINES.items():
        if any((part["vcov"] == vcov).any() for part in own):
            rows.append((label, tuple(_line(part, vcov) for part in own)))
    rows += [(f"{effect} effects", tuple("–" if part.empty else "yes" for part in own)) for effect in ("pair", "year")]
    rows += [(label, tuple(_count(part, name) for part in own)) for name, label in COUNTS.items()]
    title = f"{layout.title} ({SIMULATED})" if data.is_simulated else layout.title
    return JournalTable(title, tuple(header for header, _ in layout.columns), tuple(rows), NOTES)


COUNTS = {"n_obs": "pair-years", "n_pairs": "pairs", "n_cities": "cities", "n_pilots": "pilots"}


def _coefficient(rows: pd.DataFrame) -> str:
    return "–" if rows.empty else f"{float(rows['estimate'].iloc[0]):.4f}"


def _line(rows: pd.DataFrame, vcov: str) -> str:
    found = rows[rows["vcov"] == vcov]
    if found.empty:
        return "–"
    row = found.iloc[0]
    error = "" if pd.isna(row["std_error"]) else f"({float(row['std_error']):.4f})"
    p_value = "" if pd.isna(row["p_value"]) else f"[{float(row['p_value']):.3f}]"
    mark = "*" if pd.notna(row["is_default"]) and bool(row["is_default"]) else ""
    return " ".join(part for part in (error, p_value + mark) if part) or "–"


def _count(rows: pd.DataFrame, name: str) -> str:
    return "–" if rows.empty else f"{int(rows[name].iloc[0]):,}"


def to_html(table: JournalTable) -> str:
    """The table as one HTML fragment."""
    head = "".join(f'<th scope="col">({k}) {html.escape(text)}</th>' for k, text in enumerate(table.headers, start=1))
    body = "".join(
        f'<tr><th scope="row">{html.escape(label)}</th>' + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>\n"
        for label, cells in table.rows
    )
    notes = f'<tfoot><tr><td colspan="{len(table.headers) + 1}">{html.escape(table.notes)}</td></tr></tfoot>'
    caption = f"<caption>{html.escape(table.title)}</caption>"
    return f'<table class="journal">\n{caption}\n<thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n{notes}\n</table>\n'


def to_latex(table: JournalTable) -> str:
    """The table as LaTeX with booktabs."""
    width = len(table.headers)
    lines = [
        "% needs \\usepackage{booktabs}",
        "\\begin{table}[htbp]",
        "\\centering",
        f"\\caption{{{_tex(table.title)}}}",
        f"\\begin{{tabular}}{{l{'c' * width}}}",
        "\\toprule",
        " & ".join(["", *(f"({k})" for k in range(1, width + 1))]) + " \\\\",
        " & ".join(["", *map(_tex, table.headers)]) + " \\\\",
        "\\midrule",
    ]
    for label, cells in table.rows:
        if label == "pair effects":
            lines.append("\\midrule")
        lines.append(" & ".join(map(_tex, (label, *cells))) + " \\\\")
    lines += ["\\bottomrule", "\\end{tabular}", "", f"\\parbox{{\\linewidth}}{{\\footnotesize {_tex(table.notes)}}}", "\\end{table}"]
    return "\n".join(lines) + "\n"


_SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--"}


def _tex(text: str) -> str:
    return "".join(_SPECIAL.get(c, f"\\{c}" if c in "&%$#_{}" else c) for c in text)
