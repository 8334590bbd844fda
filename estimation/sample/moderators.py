"""From a spec and the cities to what its fit lets vary: classes of pairs, gaps, year effects by
class, strengths of policy tools. Pure.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from ..analyses.rules import CONCEPTS, MODERATORS, TOOLS
from ..analyses.spec import SampleError, Spec
from ..defaults import TIE_FIRST_YEAR, TIE_LAST_YEAR, TIE_MINIMUM_YEARS
from ..engines.heterogeneity_design import UNKNOWN, Heterogeneity
from .build import StudySample

MIN_ZONES = 10
MIN_CITIES = 20
# Share of the variance of a strength over treated city-years that cohort and year explain, above
# which it can hardly be distinguished from admission.
MAX_EXPLAINED = 0.9
PLURAL = {"region": "regions", "province_id": "provinces"}
# A diagnostic whose term is another tool with the very same strength on the sample
# (study/heterogeneity.py finds them).
SAME_REGRESSOR = "same_regressor_as"

Notes = tuple[list[tuple[str, str | None, float]], list[str]]


def build_heterogeneity(
    sample: StudySample, cities: pd.DataFrame, strengths: pd.DataFrame | None, spec: Spec
) -> tuple[Heterogeneity, Notes]:
    """Return what a spec lets vary, with diagnostics and warnings about it.

    Parameters
    ----------
    sample : StudySample
    cities : DataFrame
        city_id, region, province_id and the columns of ``marts.dim_city_baseline``.
    strengths : DataFrame or None
        As `marts.Marts.strengths`.
    spec : Spec

    Returns
    -------
    Heterogeneity
        Named by the spec's id, arrays in the sample's order of pairs.
    tuple of list
        Diagnostics (name, term, value) and whole sentences.

    Raises
    ------
    SampleError
        If the marts lack what the spec needs; the message says what.
    """
    by_id = cities.drop_duplicates("city_id").set_index("city_id").reindex(sample.panel.city_ids)
    values: dict = {}
    diagnostics: list[tuple[str, str | None, float]] = []
    warnings: list[str] = []
    if spec.moderator:
        moderator = MODERATORS[spec.moderator]
        if moderator.column not in by_id or by_id[moderator.column].isna().all():
            raise SampleError(f"needs {_need(moderator.column)}, which no city of the sample has")
        builder: Callable = _gap if moderator.kind == "gap" else _classes
        values, diagnostics = builder(sample, by_id[moderator.column], moderator.kind)
        warnings = _labels_of_proxies(by_id, moderator.column, spec)
    if spec.strength:
        path, found = _strengths(sample, strengths, spec)
        values |= {"city_path": path, "path_names": spec.strength}
        diagnostics += found
        warnings += [
            f"strength:{term}: cohort and year explain {value:.0%} of its variation among pilots: "
            "the texts at hand hardly tell the tool from admission itself."
            for name, term, value in found
            if name == "strength_r2_on_cohort_and_year" and value > MAX_EXPLAINED
        ]
    block = _year_block(sample, by_id, spec, values)
    return Heterogeneity(spec.spec_id, spec.estimator, year_block=block, **values), (
        diagnostics,
        warnings,
    )


def _need(column: str) -> str:
    if column in CONCEPTS:
        return (
            f"{CONCEPTS[column]} of {TIE_FIRST_YEAR}-{TIE_LAST_YEAR} ({column} of "
            f"marts.dim_city_baseline, in at least {TIE_MINIMUM_YEARS} of these years)"
        )
    return f"{column} of marts.dim_city"


def _classes(sample: StudySample, values: pd.Series, kind: str) -> tuple[dict, list]:
    """Return the class of every candidate pair, with counts of pairs and of pilots' pairs."""
    known = values.notna().to_numpy()
    first, second = sample.panel.city_i, sample.panel.city_j
    diagnostics: list = [("n_cities_unknown", None, int((~known).sum()))]
    if kind in ("halves", "flag"):
        if kind == "halves":
            numbers = values.to_numpy(dtype=float, na_value=np.nan)
            _require_cities(known, values.name)
            median = float(np.median(numbers[known]))
            diagnostics.append(("split_median", None, median))
            high, names = numbers > median, ["both_low", "one_high", "both_high"]
        else:
            high, names = values.fillna(False).astype(bool).to_numpy(), ["none", "one", "both"]
        position = high[first].astype(np.int64) + high[second]
    elif kind == "same":
        names = [f"{how}_{PLURAL[values.name]}" for how in ("across", "within")]
        position = (values.to_numpy()[first] == values.to_numpy()[second]).astype(np.int64)
    else:
        places, key = _places_of(sample, values)
        keys, position = np.unique(key, return_inverse=True)
        names = [f"{places[k // len(places)]}_{places[k % len(places)]}" for k in keys]
    unknown = ~(known[first] & known[second])
    if unknown.any():
        position, names = np.where(unknown, len(names), position), [*names, UNKNOWN]
    for k, name in enumerate(names):
        inside = sample.kept & (position == k)
        diagnostics.append(("class_n_pairs", name, int(inside.sum())))
        diagnostics.append(
            ("class_n_treated_pairs", name, int((inside & (sample.panel.cohort > 0)).sum()))
        )
    return {"pair_class": position.reshape(-1), "class_names": tuple(names)}, diagnostics


def _require_cities(known: np.ndarray, column: object) -> None:
    if known.sum() < MIN_CITIES:
        raise SampleError(
            f"needs {_need(str(column))} for at least {MIN_CITIES} cities of the sample, found "
            f"{int(known.sum())}"
        )


def _gap(sample: StudySample, values: pd.Series, kind: str) -> tuple[dict, list]:
    """Return absolute difference of logarithms, in standard deviations from its mean over the kept
    pairs; NaN where a city has no value.
    """
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(numbers > 0, np.log(numbers), np.nan)
    _require_cities(np.isfinite(logs), values.name)
    gap = np.abs(logs[sample.panel.city_i] - logs[sample.panel.city_j])
    inside = gap[sample.kept & np.isfinite(gap)]
    mean, deviation = float(inside.mean()), float(inside.std())
    if deviation <= 0:
        raise SampleError(
            f"needs {kind}s in {_need(str(values.name))} that differ between pairs; all are "
            f"{mean:.4g}"
        )
    found = [
        ("n_cities_unknown", None, int(np.isnan(logs).sum())),
        ("gap_mean", None, mean),
        ("gap_sd", None, deviation),
    ]
    return {"gap": (gap - mean) / deviation}, found


def _labels_of_proxies(by_id: pd.DataFrame, column: str, spec: Spec) -> list[str]:
    """Return a sentence that says so where an indicator is a stand-in."""
    bases = by_id[f"{column}_basis"].dropna().unique() if f"{column}_basis" in by_id else []
    proxies = sorted(str(basis) for basis in bases if str(basis).startswith("proxy:"))
    if not proxies:
        return []
    return [
        (
            f"{spec.moderator}: {CONCEPTS[column]} is measured by a stand-in "
            f"({', '.join(p.removeprefix('proxy:') for p in proxies)})."
        )
    ]


def _year_block(
    sample: StudySample, by_id: pd.DataFrame, spec: Spec, values: dict
) -> np.ndarray | None:
    if spec.effects == ("pair", "class_year"):
        if "pair_class" not in values:
            raise SampleError(
                "year effects by class need a moderator that divides pairs into classes"
            )
        return values["pair_class"]
    if spec.effects == ("pair", "year"):
        return None
    column = "region" if spec.effects[1] == "region_pair_year" else "province_id"
    return _places_of(sample, by_id[column])[1]


def _places_of(sample: StudySample, values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return places of the cities, and a number of each pair's two, whichever stands first."""
    places, code = np.unique(values.fillna(UNKNOWN).astype(str), return_inverse=True)
    first, second = code[sample.panel.city_i], code[sample.panel.city_j]
    return places, np.minimum(first, second) * len(places) + np.maximum(first, second)


def _strengths(
    sample: StudySample, strengths: pd.DataFrame | None, spec: Spec
) -> tuple[np.ndarray, list]:
    """Strength of each tool in a pilot's texts after its admission, in units of its mean over
    treated city-years; (N, T, S).
    """
    if strengths is None or strengths.empty:
        raise SampleError("needs policy texts of the pilot zones (source policy_texts)")
    treated = (sample.panel.city_cohort[:, None] > 0) & (
        sample.panel.years[None] >= sample.panel.city_cohort[:, None]
    )
    path = np.zeros((*treated.shape, len(spec.strength)))
    diagnostics: list = []
    for s, name in enumerate(spec.strength):
        raw = _by_city_year(sample, strengths, name)
        n_zones = int((raw * treated).any(axis=1).sum())
        if n_zones < MIN_ZONES:
            raise SampleError(
                f"needs texts with the tool {name} in force in at least {MIN_ZONES} pilot cities "
                f"of the sample, found {n_zones}"
            )
        path[:, :, s] = raw * treated / raw[treated].mean()
        diagnostics += _variation(
            path[:, :, s],
            treated,
            sample.panel.city_cohort,
            n_zones,
            name,
            float(raw[treated].mean()),
        )
    return path, diagnostics


def _by_city_year(sample: StudySample, strengths: pd.DataFrame, name: str) -> np.ndarray:
    column = "tool_class" if name in TOOLS else "tool"
    rows = strengths[(strengths[column] == name) & (strengths["tool_class"] != "none")].sort_values(
        ["city_id", "year", "tool"]
    )
    table = rows.pivot_table(
        index="city_id", columns="year", values="strength", aggfunc="sum", sort=True
    )
    return (
        table.reindex(index=sample.panel.city_ids, columns=sample.panel.years)
        .fillna(0.0)
        .to_numpy(dtype=float)
    )


def _variation(
    path: np.ndarray, treated: np.ndarray, cohort: np.ndarray, n_zones: int, name: str, mean: float
) -> list:
    """Return what identifies the strength apart from admission: its variation within cohorts in a
    year, and the share that these explain.
    """
    city, year = np.nonzero(treated)
    values = path[city, year]
    cells = np.unique(cohort[city] * 10_000 + year, return_inverse=True)[1]
    within = values - (np.bincount(cells, values) / np.bincount(cells))[cells]
    total = float(((values - values.mean()) ** 2).sum())
    explained = 1.0 if total <= 0 else 1.0 - float((within**2).sum()) / total
    return [
        ("strength_n_zones", name, n_zones),
        ("strength_mean", name, mean),
        ("strength_sd_within_cohort", name, float(np.sqrt((within**2).mean()))),
        ("strength_r2_on_cohort_and_year", name, explained),
    ]
