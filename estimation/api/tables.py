"""`cs.etable`: fits side by side, in the habit of fixest's table of that name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..results import Estimate
from .primary import PrimaryFit
from .result import LINES, Fit, label_of
from .text import number
from .writers import WRITERS, to_markdown

YES = "yes"
DAGGER = "†"
NAMES = {
    "twfe": "two-way",
    "event_study": "event study",
    "callaway_santanna": "Callaway-Sant'Anna",
    "sun_abraham": "Sun-Abraham",
    "gardner": "Gardner",
    "borusyak": "Borusyak et al.",
    "etwfe": "extended two-way",
    "within_block": "within blocks",
}


@dataclass(frozen=True, repr=False)
class Table:
    """A table of regressions as text.

    Attributes
    ----------
    title : str
    headers : tuple of str
        Of the columns, without the one of the labels.
    rows : tuple of (label, cells)
        A row without label continues the one above.
    first_of_foot : int
        Position of the first row beneath the coefficients.
    notes : tuple of str
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    first_of_foot: int
    notes: tuple[str, ...]

    def write(self, file: Any) -> None:
        """Write the table; the ending says how: .docx, .tex, .html, .md or .csv.

        Raises
        ------
        ValueError
            If the ending is another one.
        ImportError
            If a .docx or .html is asked for and the extra `tables` is not installed.
        """
        path = Path(file)
        if path.suffix.lower() not in WRITERS:
            raise ValueError(f"{path.name}: expected a name that ends in {', '.join(WRITERS)}")
        WRITERS[path.suffix.lower()](self, path)

    def __repr__(self) -> str:
        return to_markdown(self)

    def _repr_html_(self) -> str:
        from .writers import to_html

        return to_html(self)


def etable(
    *fits: Fit | PrimaryFit,
    file: Any = None,
    title: str = "",
    headers: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    vcov: str | None = None,
) -> Table:
    """Fits side by side: estimates, standard errors in parentheses, p of the permutation in
    brackets, then effects and sizes.

    Parameters
    ----------
    *fits : Fit or PrimaryFit
        One column each.
    file : path, optional
        Written as well: .docx, .tex, .html, .md or .csv.
    title : str
    headers : sequence of str, optional
        One for each fit; default: the outcomes.
    labels : mapping of str to str, optional
        What coefficients and outcomes are called in the table.
    vcov : str, optional
        The line of the standard errors; None: each coefficient's default.

    Returns
    -------
    Table
        It shows itself in a notebook and as Markdown.

    Notes
    -----
    No stars: a dagger marks the rejection of a primary test at 5 %, and nothing else.

    Raises
    ------
    ValueError
        If no fit is given, headers do not fit their number, or the ending of the file is unknown.
    """
    if not fits or not all(isinstance(fit, Fit | PrimaryFit) for fit in fits):
        raise ValueError("etable takes one result of cs.fit or cs.primary or more")
    if headers is not None and len(headers) != len(fits):
        raise ValueError(f"headers: expected {len(fits)}, found {len(headers)}")
    labels = labels or {}
    terms = list(dict.fromkeys(label_of(e) for fit in fits for e in fit.estimates))
    rows = [row for term in terms for row in _coefficient(fits, term, labels, vcov)]
    foot = _foot(fits, vcov)
    heads = (
        tuple(headers)
        if headers is not None
        else tuple(labels.get(fit.outcome, fit.outcome) for fit in fits)
    )
    table = Table(title, heads, (*rows, *foot), len(rows), _notes(fits))
    if file is not None:
        table.write(file)
    return table


def _coefficient(
    fits: Sequence[Fit | PrimaryFit], term: str, labels: Mapping[str, str], vcov: str | None
) -> list[tuple[str, tuple]]:
    found = [[e for e in fit.estimates if label_of(e) == term] for fit in fits]
    rows = [
        (
            labels.get(term, term),
            tuple(_estimate(fit, own) for fit, own in zip(fits, found, strict=True)),
        )
    ]
    errors = tuple(_error(own, vcov) for own in found)
    brackets = tuple(_bracket(own) for own in found)
    return rows + [("", cells) for cells in (errors, brackets) if any(cells)]


def _estimate(fit: Fit | PrimaryFit, own: Sequence[Estimate]) -> str:
    if not own:
        return ""
    marked = isinstance(fit, PrimaryFit) and own[0].term == "synchronization" and fit.rejects
    return number(own[0].estimate) + (DAGGER if marked else "")


def _error(own: Sequence[Estimate], vcov: str | None) -> str:
    line = _line(own, vcov)
    if line is None:
        return ""
    if line.std_error is not None:
        return f"({number(line.std_error)})"
    return "" if line.ci_low is None else f"[{number(line.ci_low)}; {number(line.ci_high)}]"


def _bracket(own: Sequence[Estimate]) -> str:
    p = next((e.p_value for e in own if e.vcov == "permutation" and e.p_value is not None), None)
    return "" if p is None else f"[{p:.3f}]"


def _line(own: Sequence[Estimate], vcov: str | None) -> Estimate | None:
    return next((e for e in own if (e.vcov == vcov if vcov else e.is_default)), None)


def _foot(fits: Sequence[Fit | PrimaryFit], vcov: str | None) -> list[tuple[str, tuple[str, ...]]]:
    def cells(of_fit, of_primary="") -> tuple[str, ...]:
        return tuple(
            of_primary(fit) if isinstance(fit, PrimaryFit) else of_fit(fit) for fit in fits
        )

    def lines(fit: Fit) -> str:
        own = [
            _line([e for e in fit.estimates if label_of(e) == term], vcov)
            for term in dict.fromkeys(map(label_of, fit.estimates))
        ]
        return ", ".join(dict.fromkeys(LINES[e.vcov] for e in own if e is not None))

    def size(name: str):
        return lambda fit: f"{getattr(fit, name):,}"

    return [
        ("pair effects", cells(lambda fit: YES, lambda fit: "")),
        ("period effects", cells(lambda fit: YES, lambda fit: "by block")),
        (
            "estimator",
            cells(lambda fit: NAMES.get(fit.estimator, fit.estimator), lambda fit: "primary test"),
        ),
        ("inference", cells(lines, lambda fit: LINES["permutation"])),
        ("rows", cells(size("n_obs"), lambda fit: "")),
        ("pairs", cells(size("n_pairs"), lambda fit: "")),
        ("units", cells(size("n_units"), lambda fit: f"{fit.result.n_cities:,}")),
        ("treated units", cells(size("n_treated"), lambda fit: f"{fit.result.n_pilots:,}")),
    ]


def _notes(fits: Sequence[Fit | PrimaryFit]) -> tuple[str, ...]:
    text = (
        "Standard errors in parentheses, of the line of inference that is named above; p of the "
        "permutation in brackets."
    )
    if any(_error([e], None).startswith("[") for fit in fits for e in fit.estimates):
        text += (
            " Brackets with a semicolon hold a 95 % interval of the permutation, which has no "
            "standard error."
        )
    primary = (
        (f"{DAGGER} the primary test rejects at 5 %.",)
        if any(isinstance(fit, PrimaryFit) for fit in fits)
        else ()
    )
    return (text, *primary)
