"""Sentences of the report: what the estimates say, and what they do not. Words only; every number comes from the estimates."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ..analyses.baseline import HEADLINE
from ..analyses.without_p import why_no_p
from .data import ReportData

ALPHA = 0.05
# label of the effect in the first year
ADMISSION = "event[0]"
LINE_WORDS = {
    "province_jackknife": "province jackknife",
    "city": "city-clustered line",
    "dyadic": "dyadic line",
    "permutation": "permutation",
    "conventional": "conventional line",
}


@dataclass(frozen=True)
class Verdict:
    """One coefficient: its estimate, the default line and the permutation.

    ``rejects`` is true only where the default line and the permutation are two lines and both reject zero at 5 %.
    """

    estimate: float
    line: str
    ci_low: float | None
    ci_high: float | None
    p_default: float | None
    p_permutation: float | None
    p_conventional: float | None
    n_obs: int
    n_pairs: int
    n_cities: int
    n_pilots: int

    @property
    def rejects(self) -> bool:
        """Whether both lines reject; never where the default is the permutation itself, which then is one line."""
        return self.line != "permutation" and all(p is not None and p < ALPHA for p in (self.p_default, self.p_permutation))


def number(value: object) -> float | None:
    """A float, or None for anything missing."""
    return None if value is None or pd.isna(value) else float(value)


def fmt(value: object, digits: int = 3, *, sign: bool = False) -> str:
    """A number with a true minus sign, an en dash where there is none."""
    found = number(value)
    if found is None:
        return "–"
    rounded = round(found, digits) + 0.0
    text = f"{rounded:+,.{digits}f}" if sign else f"{rounded:,.{digits}f}"
    return text.replace("-", "−")


def fmt_p(value: object) -> str:
    """A p value as '= 0.012' or '< 0.001'."""
    found = number(value)
    if found is None:
        return "not available"
    return "< 0.001" if found < 0.001 else f"= {found:.3f}"


def verdict(data: ReportData, spec_id: str, term: str = "treated") -> Verdict | None:
    """The verdict of a spec's coefficient; None where it was not run."""
    rows = data["estimate"]
    rows = rows[(rows["spec_id"] == spec_id) & (rows["term"] == term)]
    if rows.empty:
        return None
    by_line = {row["vcov"]: row for _, row in rows.iterrows()}
    default = rows[rows["is_default"].fillna(False).astype(bool)]
    chosen = default.iloc[0] if len(default) else rows.iloc[0]
    p_of = {name: number(by_line[name]["p_value"]) if name in by_line else None for name in ("permutation", "conventional")}
    counts = {name: int(number(chosen[name]) or 0) for name in ("n_obs", "n_pairs", "n_cities", "n_pilots")}
    return Verdict(
        estimate=float(chosen["estimate"]),
        line=str(chosen["vcov"]),
        ci_low=number(chosen["ci_low"]),
        ci_high=number(chosen["ci_high"]),
        p_default=number(chosen["p_value"]),
        p_permutation=p_of["permutation"],
        p_conventional=p_of["conventional"],
        **counts,
    )


def part_of(spec_id: str, part: str) -> str:
    """Id of the spec of a part of a `cm` outcome."""
    return spec_id.replace(".cm_", f".{part}_", 1)


def truth_of(data: ReportData, spec_id: str, term: str = "treated") -> float | None:
    """Truth of a spec on simulated data."""
    rows = data["truth"]
    rows = rows[(rows["spec_id"] == spec_id) & (rows["term"] == term)]
    return None if rows.empty else number(rows.iloc[0]["truth"])


def _both_p(found: Verdict) -> str:
    return f"{LINE_WORDS.get(found.line, found.line)} p {fmt_p(found.p_default)}, permutation p {fmt_p(found.p_permutation)}"


def differences(data: ReportData) -> list[str]:
    """What differs: between lines of inference, parts of the measure, growth series, treatment rules and samples."""
    whole = verdict(data, HEADLINE)
    if whole is None:
        return []
    said = [_contrast(whole), _split(data), _shuffle(data), _exposure(data), *_other_specs(data, whole)]
    return [sentence for sentence in said if sentence]


def _contrast(whole: Verdict) -> str:
    if whole.p_conventional is None or whole.p_default is None:
        return ""
    verb = "would also reject" if whole.p_conventional < ALPHA else "would not reject either"
    if (whole.p_conventional < ALPHA) != whole.rejects:
        verb = "would have claimed a finding" if whole.p_conventional < ALPHA else "would have missed it"
    return (
        f"Lines of inference: treating pairs as independent gives p {fmt_p(whole.p_conventional)} and {verb}; once pairs may share the "
        f"shocks of their cities and provinces, {_both_p(whole)}."
    )


def _split(data: ReportData) -> str:
    parts = [verdict(data, part_of(HEADLINE, part)) for part in ("comove", "dispersion")]
    if None in parts:
        return ""
    words = [f"{fmt(p.estimate, sign=True)} {name}" for p, name in zip(parts, ("co-movement", "dispersion"), strict=True)]
    reasons = dict.fromkeys(filter(None, (why_no_p(part) for part in ("comove", "dispersion"))))
    return " ".join([f"Split: the coefficient is exactly {words[0]} and {words[1]}.", *reasons])


def _shuffle(data: ReportData) -> str:
    found, mean = (
        verdict(data, "baseline.cm_growth_official.gdp_tercile"),
        diagnostic(data, HEADLINE, "permutation_mean_estimate", "treated"),
    )
    if found is None or mean is None:
        return ""
    fixed = (diagnostic(data, spec_id, "permutation_fixed_pilots") for spec_id in (HEADLINE, "baseline.cm_growth_official.gdp_tercile"))
    n_fixed, n_fixed_tercile = (int(n or 0) for n in fixed)
    return (
        "Shuffle: the permutation is exact only if admission is as good as random among a province's cities; its placebo estimates "
        f"average {fmt(mean, sign=True)}, and {n_fixed} pilots cannot move. Among a province's cities of one GDP tercile "
        f"p {fmt_p(found.p_permutation)} ({n_fixed_tercile} pilots cannot move)."
    )


def _exposure(data: ReportData) -> str:
    share = diagnostic(data, "baseline.cm_growth_official.calendar_year", "sample_share_short_exposure")
    if share is None:
        return ""
    return (
        f"Exposure: by calendar year of approval {share:.0%} of the treated pair-years have under 6 months of exposure; in the headline "
        "none has."
    )


def _other_specs(data: ReportData, whole: Verdict) -> list[str]:
    others = {
        "Growth series: with deflated nominal growth": "baseline.cm_growth_deflated.headline",
        "Treatment rule: with the calendar year of approval as first treated year": "baseline.cm_growth_official.calendar_year",
        "Sample: over all pairs instead of strong ties": "baseline.cm_growth_official.all_pairs",
    }
    said = []
    for words, spec_id in others.items():
        found = verdict(data, spec_id)
        if found is not None:
            sign = "the same sign" if found.estimate * whole.estimate > 0 else "the opposite sign"
            said.append(f"{words} the estimate is {fmt(found.estimate, sign=True)}, {sign} ({_both_p(found)}).")
    return said


def diagnostic(data: ReportData, spec_id: str, name: str, term: str | None = None) -> float | None:
    """One diagnostic number; None where there is none."""
    rows = data["diagnostic"]
    rows = rows[(rows["spec_id"] == spec_id) & (rows["diagnostic"] == name)]
    rows = rows[rows["term"].isna()] if term is None else rows[rows["term"] == term]
    return None if rows.empty else number(rows.iloc[0]["value"])


def lead_test(data: ReportData, spec_id: str) -> str:
    """The joint test that the leads are zero, as a sentence; empty where there is none."""
    statistic, p_value = (diagnostic(data, spec_id, name) for name in ("joint_leads_f", "joint_leads_p"))
    if statistic is None:
        return ""
    df1, df2 = (int(diagnostic(data, spec_id, f"joint_leads_df{k}") or 0) for k in (1, 2))
    return (
        f"Joint test of the leads: F({df1}, {df2}) = {fmt(statistic, 2)}, jackknife p {fmt_p(p_value)}, "
        f"permutation p {fmt_p(diagnostic(data, spec_id, 'joint_leads_permutation_p'))}."
    )


def sensitivity(data: ReportData, spec_id: str) -> str:
    """What the effect in the year of admission would bear in trends (Rambachan and Roth 2023), as sentences; empty where not known."""
    relative, smooth = (diagnostic(data, spec_id, f"breakdown_{name}", ADMISSION) for name in ("relative_magnitudes", "smoothness"))
    sets = [_honest_set(data, spec_id, *name) for name in (("relative_magnitudes", "1"), ("smoothness", "0_se"))]
    if "" in sets:
        return ""
    multiple = "beyond every multiple tried" if relative is None else f"{fmt(relative, 2)} times the largest change"
    slope = "beyond every change of slope tried" if smooth is None else f"{fmt(smooth)} of slope a year"
    words = f"Breakdown values: {multiple}; {slope}."
    if relative == 0 and smooth == 0:
        words = "Both breakdown values are 0: the effect does not leave zero out even without a change of trend."
    return (
        f"Sensitivity to trends, year of admission: 95 % set {sets[0]} if the trend changes after admission by no more than its largest "
        f"change before, {sets[1]} if it goes on straight. {words}"
    )


def _honest_set(data: ReportData, spec_id: str, restriction: str, bound: str) -> str:
    ends = [diagnostic(data, spec_id, f"honest_{restriction}_{end}_{bound}", ADMISSION) for end in ("low", "high")]
    return "" if None in ends else f"{fmt(ends[0], sign=True)} to {fmt(ends[1], sign=True)}"


def influence(data: ReportData) -> dict[str, list]:
    """The most influential province and city of each `cm` headline and of the headline's parts, and what their absence changes."""
    specs = {
        HEADLINE: "official growth, headline",
        part_of(HEADLINE, "comove"): "its co-movement part",
        part_of(HEADLINE, "dispersion"): "its dispersion part",
        "baseline.cm_growth_official.calendar_year": "official growth, calendar year",
        "baseline.cm_growth_official.all_pairs": "official growth, all pairs",
        "baseline.cm_growth_deflated.headline": "deflated growth, headline",
    }
    rows = [_influence_row(data, spec_id, label) for spec_id, label in specs.items() if verdict(data, spec_id) is not None]
    return {"rows": rows, "sentences": _influence_sentences(data)}


def place_name(data: ReportData, level: str, code: float | None) -> str:
    """A province or city by its code: English name and Chinese name."""
    if code is None:
        return "–"
    cities = data["cities"]
    own = cities[cities[f"{level}_id"] == int(code)]
    return f"{int(code)}" if own.empty else f"{own.iloc[0][f'{level}_name_en']} {own.iloc[0][f'{level}_name_zh']}"


def _influence_row(data: ReportData, spec_id: str, label: str) -> dict[str, str]:
    share = diagnostic(data, spec_id, "province_max_share", "treated")
    return {
        "label": label,
        "estimate": fmt(verdict(data, spec_id).estimate, sign=True),
        "share": "–" if share is None else f"{share:.0%}",
        **{
            level: place_name(data, level, diagnostic(data, spec_id, f"most_influential_{level}", "treated"))
            for level in ("province", "city")
        },
        **{
            f"without_{level}": fmt(diagnostic(data, spec_id, f"estimate_without_{level}", "treated"), sign=True)
            for level in ("province", "city")
        },
    }


def _influence_sentences(data: ReportData) -> list[str]:
    whole = verdict(data, HEADLINE)
    without = diagnostic(data, HEADLINE, "estimate_without_province", "treated")
    if whole is None or without is None:
        return []
    name = place_name(data, "province", diagnostic(data, HEADLINE, "most_influential_province", "treated"))
    share = without / whole.estimate if whole.estimate else 0.0
    words = "keeps its sign" if share > 0 else "changes its sign"
    return [f"Without {name} the headline estimate {words}: {fmt(without, sign=True)} instead of {fmt(whole.estimate, sign=True)}."]
