"""Print a fit as text, for a prompt, a notebook or a terminal."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Sequence
from typing import Any

from ..estimators.registry import names
from ..primary import WITHIN_BLOCK
from ..results import Estimate
from ..table_formats import html_table
from .words import GROUP_TIME, LINES, label_of

# of `result`, which prints itself by this file
Fit = Any

WIDTH = 80
NO_LEADS = "No joint test of the effects before treatment and no Honest DiD: both need "
BLOCKS = "the block jackknife (give block=)."
MORE_BLOCKS = (
    "more blocks than effects before treatment, and effects that do not rest on one block "
    "(binning= joins some)."
)
MORE_DEGREES = "more degrees of freedom than effects before treatment (binning= joins some)."
EARLIER_REFERENCE = (
    "a reference before treatment (effects before treatment are differences from period {} of it)."
)
DIGITS = 4
HEADER = ("term", "estimate", "std. error", "95 % interval", "p", "df", "inference method")


class Text(str):
    """A text that an interactive prompt shows as it is to be read."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def summary_of(fit: Fit) -> str:
    """Head, one line per coefficient and inference method, sample and warnings."""
    effects = "unit and block by" if fit.estimator == WITHIN_BLOCK else "pair and"
    head = f"{fit.outcome}: {fit.estimator}, {effects} period effects"
    head += f", controls {', '.join(fit.controls)}" if fit.controls else ""
    head += f", weights {fit.weights}" if fit.weights else ""
    rows, n_cells = rows_of(fit), sum(e.term == GROUP_TIME for e in fit.estimates)
    pairs, units = f"{fit.n_obs:,} rows, {fit.n_pairs:,} pairs", f"{fit.n_units:,} units"
    if fit.n_treated_pairs is None:
        pairs += f", {units}, {fit.n_treated:,} of them treated"
    else:
        pairs += f", {fit.n_treated_pairs:,} of them treated, {units}"
    if fit.engine != "arrays":
        pairs += f"; added up by the engine {fit.engine}"
    has_default = any(e.is_default for e in fit.estimates)
    said = "* the default method of this coefficient, which decides" if has_default else ""
    if has_default and any(e.vcov == "permutation" and not e.is_default for e in fit.estimates):
        said += "; report where the permutation disagrees"
    if n_cells:
        said += "; " if said else ""
        said += f"{n_cells} effects of one cohort in one period ({GROUP_TIME}) are in tidy()"
    notes = textwrap.wrap(said, WIDTH)
    return "\n".join(
        [
            head,
            *aligned(rows),
            pairs,
            *notes,
            *_leads(fit),
            *_sensitivity(fit),
            *_placebo_mean(fit),
            *wrapped(_told_once(fit)),
        ]
    )


def rows_of(fit: Fit) -> list[tuple[str, ...]]:
    """Return a header, and a row for each coefficient and inference method; without the many
    effects of one cohort in one period.
    """
    rows: list[tuple[str, ...]] = [HEADER]
    previous = ""
    for e in fit.estimates:
        if e.term == GROUP_TIME:
            continue
        label = label_of(e)
        shown = label if label != previous else ""
        previous = label
        interval = "" if e.ci_low is None else f"[{', '.join(ends(e))}]"
        line = LINES.get(e.vcov, e.vcov) + (" *" if e.is_default else "")
        numbers = (number(e.estimate), number(e.std_error), interval, p_value(e.p_value))
        rows.append((shown, *numbers, degrees(e.df), line))
    return rows


def html_of(fit: Fit) -> str:
    """Return the fit for a notebook: the rows as a table, all else as it is printed."""
    printed = str(summary_of(fit)).splitlines()
    head, tail = printed[0], printed[len(rows_of(fit)) + 2 :]
    rest = html.escape("\n".join(tail))
    return f"<p>{html.escape(head)}</p>{html_table(rows_of(fit), 1)}<pre>{rest}</pre>"


def _leads(fit: Fit) -> list[str]:
    """Return the joint test that the effects before treatment are zero."""
    found = {name: value for name, term, value in fit.diagnostics if term is None}
    before = {e.event_time for e in fit.estimates if e.term == "event" and (e.event_time or 0) < 0}
    if found.get("joint_leads_p") is None:
        needed = MORE_DEGREES
        reference = -1 if fit.asked is None else fit.asked[1].reference
        if reference >= 0:
            needed = EARLIER_REFERENCE.format(reference)
        elif fit.n_treated_pairs is None:
            needed = MORE_BLOCKS if "joint_leads_df1" in found else BLOCKS
        return textwrap.wrap(NO_LEADS + needed, WIDTH) if before else []
    tested = "all effects before treatment"
    if found["joint_leads_df1"] < len(before):
        tested += " that have a standard error"
    text = (
        f"Test that {tested} are zero: F({degrees(found['joint_leads_df1'])}, "
        f"{degrees(found['joint_leads_df2'])}) = {number(found['joint_leads_f'])}, "
        f"p {p_value(found['joint_leads_p'])} ({_line_of_leads(fit)})"
    )
    permuted = found.get("joint_leads_permutation_p")
    if permuted is not None:
        text += f", {p_value(permuted)} by permutation"
    return textwrap.wrap(f"{text}.", WIDTH)


def _line_of_leads(fit: Fit) -> str:
    """Return the inference method of the joint test and of Honest DiD, whatever the rows show."""
    return LINES["block_jackknife" if fit.n_treated_pairs is None else "dyadic"]


def _sensitivity(fit: Fit) -> list[str]:
    """Return how large trends may be before an effect's interval holds zero."""
    found = _numbers(fit)
    rows = [("Honest DiD", "breakdown (trend)", "interval at 1", "breakdown (slope)")]
    for name, term, value in fit.diagnostics:
        if name != "breakdown_relative_magnitudes":
            continue
        low, high = (
            found.get((f"honest_relative_magnitudes_{end}_1", term)) for end in ("low", "high")
        )
        interval = "" if low is None else f"[{number(low)}, {number(high)}]"
        slope = found.get(("breakdown_smoothness", term))
        rows.append((str(term), _breakdown(value), interval, _breakdown(slope)))
    if len(rows) == 1:
        if found.get(("joint_leads_p", None)) is None:
            return []
        df1, df2 = (found[f"joint_leads_df{k}", None] for k in (1, 2))
        text = (
            f"No Honest DiD: it needs {' or '.join(names('leads_from_last'))}, periods in steps of "
            "1, an effect of every period before treatment but the last, which is the "
            f"reference, and more than {degrees(df1 + 1)} degrees of freedom, of which there are "
            f"{degrees(df1 + df2 - 1)} (binning= joins periods)."
        )
        return textwrap.wrap(text, WIDTH)
    text = (
        f"Rambachan and Roth 2023, by the method {_line_of_leads(fit)}: the interval leaves zero "
        "out as long as trends differ by less than the breakdown, in multiples of the largest "
        "change before treatment (trend), or as a change of slope a period; 0: it holds zero "
        "anyhow. The middle column is the interval at a trend of 1."
    )
    return [*aligned(rows), *textwrap.wrap(text, WIDTH)]


def _numbers(fit: Fit) -> dict[tuple[str, str | None], Any]:
    return {(name, term): value for name, term, value in fit.diagnostics}


def _breakdown(value: float | None) -> str:
    return "any" if value is None else f"{value:.3g}"


def _placebo_mean(fit: Fit) -> list[str]:
    """Return what reassigned treatment finds on average, for the one overall coefficient: what
    treated and other units differ in anyhow.
    """
    found = _numbers(fit)
    for term in ("treated", "att"):
        mean, rest = (
            found.get((f"permutation_{name}_estimate", term)) for name in ("mean", "centred")
        )
        if mean is not None and rest is not None:
            text = (
                f"{term}: {number(mean)} on average where treatment is reassigned at random; the "
                f"estimate less that is {number(rest)}."
            )
            return textwrap.wrap(text, WIDTH)
    return []


def _told_once(fit: Fit) -> list[str]:
    """Return the warnings; those that differ in coefficient and numbers alone are joined into
    one.
    """
    labels = set(map(label_of, fit.estimates))
    alike: dict[str, list[tuple[str, str]]] = {}
    for text in fit.warnings:
        label, _, said = text.partition(": ")
        kind = re.sub(r"-?[0-9][0-9.e+-]*", "", said) if label in labels else text
        alike.setdefault(kind, []).append((label, text))
    found = []
    for (_, text), *others in alike.values():
        more = ", ".join(label for label, _ in others)
        same = f" The same with other numbers (fit.warnings): {more}." if others else ""
        found.append(text + same)
    return found


def wrapped(warnings: Sequence[str]) -> list[str]:
    """Return sentences as lines that a narrow window holds."""
    lines = []
    for text in warnings:
        lines += textwrap.wrap("! " + text, WIDTH, subsequent_indent="  ")
    return lines


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines in columns, with a rule beneath the first; texts to the left, numbers to
    the right.
    """
    last = len(rows[0]) - 1
    columns = []
    for k, cells in enumerate(zip(*rows, strict=True)):
        width = max(map(len, cells))
        pad = str.ljust if k in (0, last) else str.rjust
        columns.append([pad(cell, width) for cell in cells])
    lines = ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]
    return [lines[0], "-" * len(max(lines, key=len)), *lines[1:]]


def number(value: float | None, digits: int = DIGITS) -> str:
    """Digits after the point, or significant ones of what is small."""
    if value is None:
        return ""
    if value == 0 or abs(value) >= 10.0 ** (1 - digits):
        return f"{value:.{digits}f}"
    return f"{value:.{max(digits - 1, 1)}g}"


def ends(estimate: Estimate, digits: int = DIGITS) -> list[str]:
    """Return both ends of an interval; one that is 0 but for rounding is 0."""
    least = 1e-12 * abs(estimate.estimate)
    found = []
    for end in (estimate.ci_low, estimate.ci_high):
        is_zero = end is not None and abs(end) <= least
        found.append(number(0.0 if is_zero else end, digits))
    return found


def degrees(value: float | None) -> str:
    """Return degrees of freedom: whole ones as such, others with one place."""
    if value is None:
        return ""
    one_place = round(value, 1)
    if one_place < 100 and one_place != round(value):
        return f"{value:.1f}"
    return f"{value:,.0f}"


def p_value(value: float | None) -> str:
    """Return a p of three or four places."""
    return "" if value is None else f"{value:.4f}" if value >= 1e-4 else f"{value:.1e}"
