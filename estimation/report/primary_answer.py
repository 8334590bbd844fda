"""Page one in sentences: the verdict of the primary test, what could have been found, how, and what speaks against it. Words only."""

from __future__ import annotations

import pandas as pd

from ..analyses.primary import PRIMARY
from .data import ReportData
from .findings import ALPHA, fmt, fmt_p, number, truth_of, verdict

SECOND_WINDOW = "primary.cm_growth_official.to_2021"
STUDY_FORM = "baseline.cm_growth_official.calendar_year"
# The imposed effect that the sentence on power names: own variance falls by 60 %.
NAMED_EFFECT = "S-60"


def primary_answer(data: ReportData) -> list[str]:
    """The answer of the primary test, one sentence per question that a reader has next.

    Parameters
    ----------
    data : ReportData

    Returns
    -------
    list of str
        Verdict; what could have been found; the second window; the channels; the study's own form; the placebo in time; on simulated
        data the truth.
    """
    row = _row(data, PRIMARY)
    if row is None:
        reasons = data["not_run"]
        reason = reasons.loc[reasons["spec_id"] == PRIMARY, "reason"]
        because = f": {reason.iloc[0]}" if len(reason) else ""
        return [f"The primary test was not run{because}.", "This landing gives no answer to the question."]
    if row["verdict"] == "not_identified":
        return [f"No answer. {row['reason']}"]
    said = [_verdict(row), _power(data, row), _second(data), _channels(data), _study_form(data), _placebo(data), _truth(data, row)]
    return [sentence for sentence in said if sentence]


def _row(data: ReportData, spec_id: str) -> pd.Series | None:
    rows = data["primary"]
    rows = rows[rows["spec_id"] == spec_id]
    return None if rows.empty else rows.iloc[0]


def _interval(row: pd.Series) -> str:
    return f"95 % interval {fmt(row['ci_low'], sign=True)} to {fmt(row['ci_high'], sign=True)}, p {fmt_p(row['p_value'])}"


def _verdict(row: pd.Series) -> str:
    moved = f"by {fmt(row['estimate'], sign=True)} ({_interval(row)}; {row['n_cities']} cities, {row['n_pilots']} pilots)"
    base = number(row["correlation_before"])
    level = "" if base is None else f", from about {fmt(base, 2)}"
    if row["verdict"] == "found":
        direction = "rose" if row["estimate"] > 0 else "fell"
        return f"Synchronization {direction}: after admission the correlation of a pilot with never-pilot cities moved {moved}{level}."
    return f"No change was found: after admission the correlation of a pilot with never-pilot cities moved {moved}{level}."


def _power(data: ReportData, row: pd.Series) -> str:
    smallest, rows = number(row["minimum_detectable_effect"]), data["power"]
    rows = rows[(rows["spec_id"] == PRIMARY) & (rows["imposed"] == NAMED_EFFECT)]
    named = ""
    if len(rows):
        found = rows.iloc[0]
        named = (
            f" If a pilot's own variance fell by 60 %, which raises that correlation by {fmt(found['effect_on_cm'], sign=True)}, "
            f"{found['share_found']:.0%} of samples like this one would show it."
        )
    if smallest is None:
        return "This sample could not have shown an effect of any size with 80 % power." + named
    if row["verdict"] == "not_found_could_not_have_been":
        return f"A small change could not have been found: only those from about {fmt(smallest)} on are found in 80 % of cases.{named}"
    if row["verdict"] == "not_found_could_have_been":
        return f"It could have been found: effects from about {fmt(smallest)} on are found in 80 % of cases.{named}"
    return f"This sample finds effects from about {fmt(smallest)} on in 80 % of cases.{named}"


def _second(data: ReportData) -> str:
    row = _row(data, SECOND_WINDOW)
    if row is None or row["verdict"] == "not_identified":
        return ""
    word = "found" if row["verdict"] == "found" else "not found"
    return (
        f"In the second declared window, {row['first_year']} to {row['last_year']}, it is {word}: {fmt(row['estimate'], sign=True)} "
        f"({_interval(row)}; {row['n_pilots']} pilots, many of them first treated in 2020, the year of the pandemic)."
    )


def _channels(data: ReportData) -> str:
    rows = data["channel"]
    rows = rows[rows["spec_id"] == PRIMARY].set_index("channel")
    if not {"own_variance", "loading"} <= set(rows.index):
        return ""
    own, loading = rows.loc["own_variance"], rows.loc["loading"]
    return (
        f"How: the variance of pilots' own shocks changed by {own['estimate']:+.0%} ({own['ci_low']:+.0%} to {own['ci_high']:+.0%}, "
        f"p {fmt_p(own['p_value'])}), their loading on the national cycle by {fmt(loading['estimate'], 2, sign=True)} "
        f"({fmt(loading['ci_low'], 2, sign=True)} to {fmt(loading['ci_high'], 2, sign=True)}, p {fmt_p(loading['p_value'])})."
    ).replace("-", "−")


def _study_form(data: ReportData) -> str:
    found = verdict(data, STUDY_FORM)
    if found is None or found.p_conventional is None:
        return ""
    says = "an effect" if found.p_conventional < ALPHA else "no effect"
    return (
        f"The study's own form on these data (calendar year of approval, strongly tied pairs, errors clustered by pair) shows {says}: "
        f"{fmt(found.estimate, sign=True)}, p {fmt_p(found.p_conventional)}; once pairs may share the shocks of their cities the same "
        f"estimate has p {fmt_p(found.p_default)}, and p {fmt_p(found.p_permutation)} by permutation."
    )


def _placebo(data: ReportData) -> str:
    rows = data["placebo"]
    rows = rows[(rows["spec_id"] == PRIMARY) & (rows["placebo"] == "time")]
    if rows.empty or number(rows.iloc[0]["joint_p_value"]) is None:
        return ""
    joint, worst = rows.iloc[0]["joint_p_value"], rows.loc[rows["p_value"].astype(float).idxmin()]
    head = (
        f"Placebo in time: with the admissions moved back into the years before any zone ({len(rows)} shifts), the largest change has "
        f"p {fmt_p(joint)} over all shifts together"
    )
    if joint >= ALPHA:
        return f"{head}: nothing shows that pilots moved apart from their peers before."
    return (
        f"{head}: pilots did not move in parallel with their peers in earlier years ({worst['name']}: {fmt(worst['estimate'], sign=True)}, "
        f"p {fmt_p(worst['p_value'])}), so neither a finding nor its absence rests on parallel trends over long spans."
    )


def _truth(data: ReportData, row: pd.Series) -> str:
    truth = truth_of(data, PRIMARY)
    if not data.is_simulated or truth is None:
        return ""
    where = "covers" if row["ci_low"] <= truth <= row["ci_high"] else "misses"
    return f"The data are simulated; the truth of this change is {fmt(truth)}, and the interval {where} it.{_how_often(data)}"


def _how_often(data: ReportData) -> str:
    """How many intervals hold their truth, here and over many economies, and how often the page would say 'found'."""
    rows = data["truth_coverage"].set_index(["scope", "quantity", "coefficients", "line"])

    def counts(*key: str) -> tuple[int, int] | None:
        return (int(rows.loc[key, "n_yes"]), int(rows.loc[key, "n"])) if key in rows.index else None

    said = ""
    here = counts("this_economy", "truth_in_interval", "every_coefficient", "default")
    if here:
        counted = f"the default intervals of {here[0]:,} of {here[1]:,} coefficients with a known truth hold it"
        said += f" In this economy {counted}; coefficients of one economy share its shocks."
    window = "primary.study_window"
    many, found, false = (
        counts("many_economies", quantity, window, "primary")
        for quantity in ("truth_in_interval", "found_with_effect", "found_without_effect")
    )
    if many and found and false:
        said += (
            f" Over {many[1]} economies drawn the same way the interval of this test holds the truth in {many[0] / many[1]:.0%}; this page "
            f"would say “found” in {found[0] / found[1]:.0%} of them, and without the planted effect in {false[0] / false[1]:.0%}."
        )
    return said
