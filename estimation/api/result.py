"""`Fit`, the result of `cs.fit`: its tables, tests, pictures and text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..defaults import LEVEL
from ..engines.choose import TWO_WAY
from ..inference.variances import with_diagonal
from ..options import Options
from ..panel.columns import as_frame, columns_of, series_of
from ..panel.fit_sample import FitSample, build_sample
from ..panel.pair_columns import UNIT, PairColumns
from ..panel.pair_file import PairFile, read_pairs
from ..panel.pair_panel import PairPanel
from ..panel.panel_error import refused, require_among
from ..results import Estimate, FitResult, NotEstimable
from .joint import Covariance, Wald, numbers_by_name
from .text import Text, html_of, summary_of
from .words import (
    OWN,
    PUBLISHED,
    ForMaketables,
    interval_at,
    label_of,
    line_of,
    of_units,
    of_units_in_name,
    require_line,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

TIDY = ("term", "estimate", "std_error", "ci_low", "ci_high", "p_value", "vcov", "df")
# numbers of a picture that `parts` holds as draws
QUANTILE = "permutation_quantile_"
# rows up to which `Fit.r2` is computed: it takes as long as the estimate
R2_ROWS = 1_000_000
MORE = ("cohort_year", "event_time", "is_default")


@dataclass(frozen=True, repr=False, kw_only=True)
class Fit(ForMaketables, FitResult):
    """An estimator on one outcome of a pair panel.

    Attributes
    ----------
    outcome, estimator : str
    estimates : tuple of Estimate
        One for each coefficient and inference method.
    diagnostics : tuple of (name, term, value)
    warnings : tuple of str
        Whole sentences: what was left out of the panel, and what to be careful of.
    n_obs, n_pairs, n_units, n_treated : int
        Rows, pairs, units and treated units of the sample.
    n_treated_pairs : int or None
        Where treatment is by pair and no unit of a pair is known to be the treated one.
    controls : tuple of str
    exposure : str
    weights : str or None
    permutations, seed : int
    engine : str
        What added the pairs up: ``arrays`` or ``all_pairs``; they give the same numbers.
    backend : str
        Kind of frame that `tidy` and others give; empty: pandas, which is the kind that type
        checkers take all to be.
    r2 : float or None
        Of a two-way fit or an event study on pairs of up to a million rows, effects included.
    asked : (PairColumns, Options) or None
        Columns and settings.
    parts : FitParts or None
        What pictures are drawn from.
    """

    outcome: str
    controls: tuple[str, ...] = ()
    exposure: str = "one"
    weights: str | None = None
    permutations: int = 0
    seed: int = 1
    engine: str = field(default="arrays", compare=False)
    backend: str = field(default="", compare=False)
    r2: float | None = field(default=None, compare=False)
    asked: tuple[PairColumns, Options] | None = field(default=None, compare=False)

    @classmethod
    def of(cls, result: FitResult, columns: PairColumns, file: PairFile, options: Options) -> Fit:
        """Return the result of `fit_panel` on a panel that was read."""
        warnings = (*file.notes, *result.warnings)
        if columns.unit == UNIT:
            warnings += tuple(_pairs_of_the_draws(file, result))
        own = {
            "estimates": tuple(replace(e, vcov=OWN.get(e.vcov, e.vcov)) for e in result.estimates),
            "warnings": of_units(warnings),
            # `parts` holds the draws themselves
            "no_draws": of_units([result.no_draws])[0],
            "diagnostics": tuple(
                (of_units_in_name(name), term, value)
                for name, term, value in result.diagnostics
                if not name.startswith(QUANTILE)
            ),
        }
        return cls(
            **(vars(result) | own),
            outcome=columns.outcome,
            controls=columns.controls,
            exposure=columns.exposure,
            weights=columns.weights,
            permutations=options.permutations,
            seed=options.seed,
            backend=file.backend,
            r2=_r2(result, columns, file, options),
            asked=(columns, options),
        )

    @property
    def n_units(self) -> int:
        """Units of the sample."""
        return self.n_cities

    @property
    def n_treated(self) -> int:
        """Treated units of the sample."""
        return self.n_pilots

    @property
    def treated(self) -> dict[str, str]:
        """How many are treated, as a table says it."""
        if self.n_treated_pairs is not None:
            return {"treated pairs": f"{self.n_treated_pairs:,}"}
        return {"treated units": f"{self.n_treated:,}"}

    def tidy(self, *, full: bool = False) -> pd.DataFrame:
        """Return one row per coefficient and inference method, as a frame of the kind that was
        fitted.

        Parameters
        ----------
        full : bool
            Adds `cohort_year`, `event_time`, `is_default` and `n_treated`, the treated units that a
            coefficient is of (0 where pairs do not say which of their units are treated).

        Returns
        -------
        frame
            Columns `term, estimate, std_error, ci_low, ci_high, p_value, vcov, df`. Intervals are
            of 95 %; `df` are the degrees of freedom of their t, blank for a permutation.
        """
        require_among("full", [full], (False, True))
        rows = columns_of(self.estimates, (*TIDY, *MORE))
        rows["term"] = [label_of(e) for e in self.estimates]
        rows["n_treated"] = [e.n_pilots for e in self.estimates]
        if not full:
            rows = {name: rows[name] for name in TIDY}
        return as_frame(rows, self.backend)

    def coef(self) -> pd.Series:
        """Return each coefficient's estimate, a pandas series by name."""
        return series_of(self._coefficients(), "estimate")

    def _coefficients(self) -> dict[str, float]:
        return {label_of(e): e.estimate for e in self.estimates}

    def se(self, vcov: str | None = None) -> pd.Series:
        """Return each coefficient's standard error under an inference method (None: its default), a
        pandas series by name; NaN where it has none.
        """
        errors = {term: e.std_error for term, e in self._lines(vcov).items()}
        return series_of(errors, "std_error")

    def confint(self, vcov: str | None = None, level: float = 1 - LEVEL) -> pd.DataFrame:
        """Return intervals, a frame with columns `term, ci_low, ci_high, vcov`.

        Parameters
        ----------
        vcov : str, optional
            The inference method; None: each coefficient's default.
        level : float
            What they cover.

        Raises
        ------
        PanelError
            If the fit has no such method, or for another level than 0.95 of the permutation, whose
            interval comes from its draws.
        """
        rows = [(term, *interval_at(e, level), e.vcov) for term, e in self._lines(vcov).items()]
        columns = map(list, zip(*rows, strict=True))
        names = ("term", "ci_low", "ci_high", "vcov")
        return as_frame(dict(zip(names, columns, strict=True)), self.backend)

    def vcov(self, vcov: str | None = None) -> pd.DataFrame:
        """Return the covariance of the coefficients under ``pair``, ``dyadic``, ``unit`` or
        ``block_jackknife`` (None: the default one of the first coefficient), a frame with a column
        `term` and one for each coefficient.

        The diagonal of a dyadic one holds the squares of the errors that `se` gives; negative
        eigenvalues are set to 0. Coefficients without an error have NaN. For sums and joint tests
        `combine` and `wald` are exact.

        Raises
        ------
        PanelError
            If the fit has none by that method.
        """
        found = self._covariance(vcov)
        matrix = found.matrix
        if found.least is not None:
            variances = np.maximum(np.diag(matrix), np.diag(found.least))
            matrix, _ = with_diagonal(matrix, variances)
        has_error = np.isfinite(found.degrees)
        matrix = np.where(np.outer(has_error, has_error), matrix, np.nan)
        columns = dict(zip(found.terms, matrix.T.tolist(), strict=True))
        return as_frame({"term": list(found.terms), **columns}, self.backend)

    def combine(
        self, weights: Mapping[str, float] | pd.Series, vcov: str | None = None
    ) -> pd.DataFrame:
        """Return a weighted sum of coefficients, such as the mean of the effects of some periods.

        Parameters
        ----------
        weights : mapping of str to float, or pandas series
            By coefficient.
        vcov : str, optional
            The inference method; None: the default one of the first coefficient named.

        Returns
        -------
        frame
            One row, columns as those of `tidy`. A dyadic variance is not taken to be below that by
            pair, as in `se`. Without an error if a coefficient has none.

        Raises
        ------
        PanelError
            If there is no such term, or no covariance by that method.
        """
        weights = numbers_by_name(weights, "weights")
        coefficients = self._coefficients()
        first = next((term for term in weights if term in coefficients), None)
        row = self._covariance(vcov, first).combine(weights)
        return as_frame(columns_of([row], TIDY), self.backend)

    def wald(
        self, terms: Sequence[str | Mapping[str, float] | pd.Series], vcov: str | None = None
    ) -> Wald:
        """Return the joint test that coefficients, or weighted sums of them, are all zero.

        Parameters
        ----------
        terms : sequence of str, or of mappings or series
            Coefficients, or weights by coefficient of sums of them.
        vcov : str, optional
            The inference method; None: the default one of the first coefficient.

        Returns
        -------
        dict
            `statistic, df1, df2, p_value, vcov`: an F, of Hotelling's T squared.

        Raises
        ------
        PanelError
            If there is no such term, no covariance by that method, or if the restrictions are too
            many for its degrees of freedom or not independent.
        """
        return self._covariance(vcov).wald(terms)

    def _covariance(self, vcov: str | None, term: str | None = None) -> Covariance:
        matrices = {} if self.parts is None else self.parts.covariance
        chosen = self.default(term).vcov if vcov is None else vcov
        line = require_line(chosen, (OWN[name] for name in matrices))
        coefficients = self._coefficients()
        degrees = dict.fromkeys(coefficients, np.nan)
        for e in self.estimates:
            if e.vcov == line and e.df is not None:
                degrees[label_of(e)] = e.df
        if not any(e.vcov == line for e in self.estimates):
            expected = "a method whose degrees of freedom the fit keeps"
            raise refused("vcov", expected, line, "give it to cs.fit as vcov=")
        return Covariance(
            line,
            list(coefficients),
            np.array(list(coefficients.values())),
            matrices[PUBLISHED[line]],
            matrices["conventional"] if line == "dyadic" else None,
            np.array(list(degrees.values())),
        )

    def resid(self, panel: Any) -> pd.DataFrame:
        """Return residuals of a two-way fit or an event study, a frame with the units, the period
        and `resid`, one row for each row that was used.

        Parameters
        ----------
        panel : frame, relation, mapping or path
            What was fitted: a fit keeps no data.

        Raises
        ------
        NotEstimable
            If the estimator has several first stages, or pairs were made of units.
        PanelError
            If the panel has another number of rows than the fit used, or another R2.
        """
        if self.asked is None or self.estimator not in TWO_WAY or self.asked[0].is_of_units:
            raise NotEstimable(f"resid: expected {' or '.join(TWO_WAY)} on a panel of pairs")
        columns, options = self.asked
        file = read_pairs(panel, columns)
        pairs = file.panel
        sample, values = _residuals(self, pairs, columns, options)
        row, year = np.nonzero(np.isfinite(values))
        if len(row) != self.n_obs:
            expected = f"the fitted one, {self.n_obs:,} rows used"
            raise refused("panel", expected, len(row), "give that panel")
        r2 = _share_explained(pairs, sample, values)
        if self.r2 is not None and abs(r2 - self.r2) > 1e-9:
            expected = f"the fitted one, with an R2 of {self.r2:.6f}"
            raise refused("panel", expected, round(r2, 6), "give that panel")
        kept = np.flatnonzero(sample.kept)[row]
        periods = pairs.years[year].tolist()
        if file.dates is not None:
            periods = [file.dates.shown.get(period, period) for period in periods]
        first, second = columns.unit
        cells = {
            first: pairs.city_ids[pairs.city_i[kept]].tolist(),
            second: pairs.city_ids[pairs.city_j[kept]].tolist(),
            columns.time: periods,
            "resid": values[row, year].tolist(),
        }
        return as_frame(cells, self.backend)

    def glance(self) -> pd.DataFrame:
        """Return the sample and the settings, a frame of one row."""
        sizes = ("n_obs", "n_pairs", "n_units", "n_treated", "n_treated_pairs")
        names = ("outcome", "estimator", *sizes, "permutations", "seed", "engine")
        return as_frame({name: [getattr(self, name)] for name in names}, self.backend)

    def _lines(self, vcov: str | None) -> dict[str, Estimate]:
        if vcov is not None:
            require_line(vcov, (e.vcov for e in self.estimates))
        rows: dict[str, list[Estimate]] = {}
        for e in self.estimates:
            rows.setdefault(label_of(e), []).append(e)
        return {term: line_of(own, vcov) for term, own in rows.items()}

    def default(self, term: str | None = None) -> Estimate:
        """Return a coefficient under its default inference method; None: the first coefficient.

        Raises
        ------
        PanelError
            If there is no such coefficient.
        """
        if term is not None:
            require_among("term", [term], self._coefficients())
        return line_of([e for e in self.estimates if term is None or label_of(e) == term])

    def diagnostic(self, name: str, term: str | None = None) -> float | int | str | None:
        """Return the value of one diagnostic, such as ``block_max_share``.

        Raises
        ------
        PanelError
            If the fit has none of this name and term.
        """
        if isinstance(name, str):
            name = of_units_in_name(name)
        require_among("name", [name], sorted({n for n, _, _ in self.diagnostics}))
        found = {t: value for n, t, value in self.diagnostics if n == name}
        require_among("term", [term], found)
        return found[term]

    def _dyadic_variances(self) -> dict[str | None, Any]:
        """Return the dyadic variances by coefficient as they were computed."""
        return {term: value for name, term, value in self.diagnostics if name == "dyadic_variance"}

    def summary(self) -> Text:
        """Return the estimates as a table, the size of the sample and the warnings, as a text."""
        return Text(summary_of(self))

    def plot(
        self, kind: str | None = None, *, ax: Axes | None = None, file: Any = None, **options: Any
    ) -> Axes:
        """Draw the fit with matplotlib.

        Parameters
        ----------
        kind : str, optional
            ``event_study``, ``forest`` (inference methods side by side), ``permutation`` (density
            of the placebo estimates) or ``influence`` (estimate without each block). None: the
            event study where there is one, else the forest.
        ax : Axes, optional
        file : path, optional
            Written as well; the ending names the format.
        **options
            `vcov`: the inference method of an event study; `term`: the coefficient of the others.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        PanelError
            If the fit has nothing of this kind to draw.
        """
        from .plots import draw

        return draw(self, kind, ax, file, **options)

    def without_parts(self) -> Fit:
        """Return the fit without what pictures are drawn from, to keep many of them."""
        return replace(self, parts=None)

    def __repr__(self) -> str:
        return str(self.summary())

    def _shown(self) -> list[Estimate]:
        return list(self._lines(None).values())

    @property
    def __maketables_fixef_string__(self) -> str:
        return "pair+period"

    def _repr_html_(self) -> str:
        return html_of(self)


def _residuals(
    result: FitResult, pairs: PairPanel, columns: PairColumns, options: Options
) -> tuple[FitSample, np.ndarray]:
    """Return the sample of a two-way fit, and its residuals by kept pair and period."""
    from ..estimators.two_way import design_of, residuals

    sample = build_sample(pairs, (0,), None)
    design = design_of(result.estimator, sample, options)
    coefficients = {label_of(e): e.estimate for e in result.estimates}
    return sample, residuals(sample, design, coefficients, columns.controls)


def _r2(result: FitResult, columns: PairColumns, file: PairFile, options: Options) -> float | None:
    """Return what share of the outcome's variation a two-way fit explains, effects included."""
    pairs = file.panel
    is_too_large = result.n_obs > R2_ROWS
    if result.estimator not in TWO_WAY or is_too_large or pairs is None or columns.is_of_units:
        return None
    sample, rest = _residuals(result, pairs, columns, options)
    if np.isfinite(rest).sum() != result.n_obs:
        return None
    return _share_explained(pairs, sample, rest)


def _share_explained(pairs: PairPanel, sample: FitSample, rest: np.ndarray) -> float:
    """Return one less the share of the outcome's variation that is in the residuals."""
    is_used = np.isfinite(rest)
    weight = np.ones(rest.shape)
    if pairs.weight is not None:
        weight = weight * pairs.weight[sample.kept][:, None]
    y, weight, rest = pairs.y[0][sample.kept][is_used], weight[is_used], rest[is_used]
    deviation = y - np.average(y, weights=weight)
    return float(1 - (weight * rest**2).sum() / (weight * deviation**2).sum())


def _pairs_of_the_draws(file: PairFile, result: FitResult) -> list[str]:
    """That the draws have the panel's pairs alone, where these are not all pairs of its units and a
    permutation was run.
    """
    if file.panel is None:
        return []
    every = file.panel.n_cities * (file.panel.n_cities - 1) // 2
    if file.panel.n_pairs == every or not any(
        estimate.vcov == "permutation" for estimate in result.estimates
    ):
        return []
    return [
        f"The file holds {file.panel.n_pairs:,} of the {every:,} pairs of its cities, and a draw "
        "of the permutation has these alone: it cannot bring in other pairs of a pseudo-pilot, nor "
        "choose strong ties anew, as the study does from all pairs. So the report's p of the same "
        "specification differs a little."
    ]
