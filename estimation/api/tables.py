"""`cs.etable`: a table with one column for each fit, like fixest's `etable`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import numpy as np

from ..estimators.registry import ESTIMATORS
from ..panel.panel_error import (
    PanelError,
    plural,
    refused,
    require_among,
    require_count,
    require_mapping,
    require_names,
    require_text,
)
from ..primary import WITHIN_BLOCK
from ..results import Estimate
from ..table_formats import Table
from .primary import PrimaryFit
from .result import Fit
from .text import DIGITS, degrees, ends, number
from .words import LINES, label_of, line_of, permutation_p, require_line

YES = "yes"
DAGGER = "†"
NO_ERROR = "(-)"
# relative: variances that differ by less do so by rounding
SAME = 1e-9
FOOT = (
    "pair effects",
    "period effects",
    "effects",
    "estimator",
    "inference",
    "degrees of freedom",
    "R2",
    "rows",
    "pairs",
    "units",
    "treated units",
    "treated pairs",
)
# of cs.fit, cs.primary or cs.vcov; the last one is a frame of pandas, which is not loaded here
Result = Any


def etable(
    *fits: Result | list[Result],
    file: Any = None,
    title: str = "",
    headers: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    vcov: str | None = None,
    keep: Sequence[str] | None = None,
    digits: int = DIGITS,
    se: Literal["se", "ci"] = "se",
) -> Table:
    """Fits side by side: estimates, standard errors in parentheses, p of the permutation in
    brackets, then effects and sizes.

    Parameters
    ----------
    *fits : Fit, PrimaryFit or Errors
        One column each; a list of them stands for its parts.
    file : path, optional
        Written as well: .docx, .tex, .html, .md or .csv.
    title : str
    headers : sequence of str, optional
        One for each fit; default: the outcomes.
    labels : mapping of str to str, optional
        What coefficients, outcomes and effects are called in the table.
    vcov : str, optional
        The inference method of the standard errors, where a coefficient has it; None, and
        elsewhere: its default, else one that has an error.
    keep : sequence of str, optional
        Coefficients to show, such as ``["att", "event"]``: a name stands for all with a bracket
        behind it. None: all.
    digits : int
        After the point; a number below 10 ** (1 - digits) has digits - 1 significant ones.
    se : {"se", "ci"}
        What is printed below an estimate: its standard error in parentheses, or its 95 % interval.

    Returns
    -------
    Table
        It shows itself in a notebook and as Markdown.

    Notes
    -----
    No stars: a dagger marks the rejection of a primary test at 5 %, and nothing else.

    Raises
    ------
    PanelError
        If no fit is given, headers do not fit their number, no fit has the method or a coefficient
        to keep, the ending of the file is unknown, or an argument is of another kind.

    Examples
    --------
    >>> pairs = cs.data.euro()
    >>> unit = ("iso_a", "iso_b")
    >>> fit = cs.fit(pairs, "cm", unit=unit, cohort="euro", vcov="dyadic", permutations=0)
    >>> table = cs.etable(fit, labels={"treated": "euro"}, digits=2)
    >>> table.headers, table.rows[0]
    (('cm',), ('euro', ('-0.24',)))
    """
    require_among("se", [se], ("se", "ci"))
    require_text(title, "title")
    style = _Style(vcov, require_count(digits, "digits", 1, 12), se == "ci")
    flat: list[Result] = []
    for given in fits:
        flat += given if isinstance(given, list) else [given]
    fits = tuple(flat)
    others = [fit for fit in fits if not isinstance(getattr(fit, "estimates", None), tuple)]
    if others or not fits:
        found = type(others[0]).__name__ if others else "none"
        expected = "results of cs.fit, cs.primary or cs.vcov, one or more"
        remedy = "give them as they were returned; vcov= and keep= choose among their rows"
        if others and hasattr(others[0], "primary"):
            remedy = "give its .primary"
        raise PanelError("fits", None, None, expected, found, remedy)
    if headers is not None:
        headers = require_names(headers, "headers")
        if len(headers) != len(fits):
            expected = f"{len(fits)} {plural(len(fits), 'texts', 'text')}"
            raise refused("headers", expected, headers, "give one for each fit")
    every = [e for fit in flat for e in fit.estimates]
    if vcov is not None:
        require_line(vcov, (e.vcov for e in every))
    labels = {} if labels is None else labels
    require_mapping(labels, "labels", str, "texts by coefficient or outcome")
    if keep is not None:
        keep = require_names(keep, "keep")
        known = {*(e.term for e in every), *map(label_of, every)}
        require_among("keep", keep, sorted(known), "some")
    columns = [_kept(fit, labels, keep) for fit in fits]
    rows: list[tuple[str, tuple]] = []
    for term in dict.fromkeys(chain(*columns)):
        rows += _coefficient(fits, term, [own.get(term, []) for own in columns], style)
    shown = {label_of(e) for own in columns for e in chain(*own.values())}
    facts = [_facts(fit, vcov, shown, labels) for fit in fits]
    kinds = [kind for kind in FOOT if any(kind in own for own in facts)]
    foot = [(kind, tuple(own.get(kind, "") for own in facts)) for kind in kinds]
    notes = _notes(fits, (cell for _, cells in rows for cell in cells))
    notes += _raised(fits, vcov, shown, labels)
    if headers is None:
        headers = [labels.get(fit.outcome, fit.outcome) for fit in flat]
    table = Table(title, tuple(headers), (*rows, *foot), len(rows), notes)
    if file is not None:
        table.write(file)
    return table


@dataclass(frozen=True)
class _Style:
    """The inference method, the digits, and whether intervals take the place of errors."""

    vcov: str | None
    digits: int
    has_intervals: bool


def _kept(
    fit: Result, labels: Mapping[str, str], keep: Sequence[str] | None
) -> dict[str, list[Estimate]]:
    """Return the rows of a fit's coefficients that a table shows, by what they are called there."""
    found: dict[str, list[Estimate]] = {}
    for e in fit.estimates:
        term = label_of(e)
        if keep is not None and e.term not in keep and term not in keep:
            continue
        own = found.setdefault(labels.get(term, term), [])
        if own and label_of(own[0]) != term:
            expected, remedy = "a text of its own for each coefficient", "rename one of them"
            given = f"'{labels.get(term, term)}' for {label_of(own[0])} and {term}"
            raise PanelError("labels", None, None, expected, given, remedy)
        own.append(e)
    return found


def _coefficient(
    fits: Sequence[Result], term: str, found: Sequence[list[Estimate]], style: _Style
) -> list[tuple[str, tuple]]:
    cells = [_estimate(fit, own, style) for fit, own in zip(fits, found, strict=True)]
    rows = [(term, tuple(cells))]
    errors = tuple(_error(own, style) for own in found)
    brackets = tuple(_bracket(own) for own in found)
    return rows + [("", cells) for cells in (errors, brackets) if any(cells)]


def _estimate(fit: Result, own: Sequence[Estimate], style: _Style) -> str:
    if not own:
        return ""
    marked = isinstance(fit, PrimaryFit) and own[0].term == "synchronization" and fit.rejects
    return number(own[0].estimate, style.digits) + (DAGGER if marked else "")


def _error(own: Sequence[Estimate], style: _Style) -> str:
    if not own:
        return ""
    line = line_of(own, style.vcov)
    if line.std_error is not None and not style.has_intervals:
        return f"({number(line.std_error, style.digits)})"
    return NO_ERROR if line.ci_low is None else f"[{'; '.join(ends(line, style.digits))}]"


def _bracket(own: Sequence[Estimate]) -> str:
    p = permutation_p(own)
    return "" if p is None else f"[{p:.3f}]"


def _shown(fit: Result, vcov: str | None, kept: set[str]) -> list[Estimate]:
    """Return each coefficient of a column under the inference method that is shown."""
    return [
        line_of([e for e in fit.estimates if label_of(e) == term], vcov)
        for term in dict.fromkeys(map(label_of, fit.estimates))
        if term in kept
    ]


def _facts(
    fit: Result, vcov: str | None, kept: set[str], labels: Mapping[str, str]
) -> dict[str, str]:
    """Return what is printed below the coefficients of a column."""
    shown = _shown(fit, vcov, kept)
    lines = ", ".join(dict.fromkeys(LINES.get(e.vcov, "none") for e in shown))
    if isinstance(fit, PrimaryFit):
        found = fit.result
        return {
            "period effects": "by block",
            "estimator": "primary test",
            "inference": lines,
            "units": f"{found.n_cities:,}",
            "treated units": f"{found.n_pilots:,}",
        }
    sizes = {"rows": f"{fit.n_obs:,}", "pairs": f"{fit.n_pairs:,}", "units": f"{fit.n_units:,}"}
    spread = sorted(e.df for e in shown if e.df is not None)
    if spread:
        low, high = degrees(spread[0]), degrees(spread[-1])
        sizes["degrees of freedom"] = low if low == high else f"{low} to {high}"
    if fit.r2 is not None:
        sizes["R2"] = f"{fit.r2:.3f}"
    if not isinstance(fit, Fit):
        facts = {"estimator": fit.estimator, "inference": lines}
        if fit.effects:
            facts["effects"] = " + ".join(labels.get(name, name) for name in fit.effects)
        return facts | sizes
    if fit.estimator == WITHIN_BLOCK:
        effects = {"period effects": "by block"}
        name = "within blocks"
    else:
        effects = {"pair effects": YES, "period effects": YES}
        name = ESTIMATORS[fit.estimator].short_label
    return effects | {"estimator": name, "inference": lines} | sizes | fit.treated


def _raised(
    fits: Sequence[Result], vcov: str | None, kept: set[str], labels: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the note on errors by pair that are shown as dyadic, if there are any."""
    said = []
    for column, fit in enumerate(fits, start=1):
        if isinstance(fit, PrimaryFit):
            continue
        computed = fit._dyadic_variances()
        names = []
        for e in _shown(fit, vcov, kept):
            if e.vcov != "dyadic" or e.std_error is None:
                continue
            name = label_of(e)
            if computed.get(name, np.inf) < e.std_error**2 * (1 - SAME):
                names.append(labels.get(name, name))
        if names:
            said.append(f"({column}) {', '.join(names)}")
    if not said:
        return ()
    return (
        f"{'; '.join(said)}: the dyadic variance came out below that by pair, as it does by "
        "chance, and the error by pair is shown.",
    )


def _notes(fits: Sequence[Result], cells: Iterable[str]) -> tuple[str, ...]:
    """Footnotes of what is shown, and of nothing else."""
    cells = set(cells)
    errors = any(cell.startswith("(") and cell != NO_ERROR for cell in cells)
    permuted = [cell for cell in cells if cell.startswith("[")]
    said = []
    if errors:
        said.append("Standard errors in parentheses, of the inference method that is named above.")
    if any(";" not in cell for cell in permuted):
        said.append("p of the permutation in brackets.")
    if any(";" in cell for cell in permuted):
        said.append("Brackets with a semicolon hold a 95 % interval.")
    if NO_ERROR in cells:
        why = "no inference method has an error here: the fit's warnings say why."
        said.append(f"{NO_ERROR} {why}")
    notes = [" ".join(said)]
    if any(isinstance(fit, PrimaryFit) for fit in fits):
        notes.append(f"{DAGGER} the primary test rejects at 5 %.")
    return tuple(notes)
