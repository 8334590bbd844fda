"""Each part of a page that holds figures of the delivered statistics, by its name there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from estimation.defaults import LEVEL
from orchestration.evidence.figures import interval, p_of, signed, size, table
from orchestration.evidence.front import (
    PRIMARY,
    Con,
    answer,
    answer_in_chinese,
    index_line,
    picture_in_chinese,
    picture_line,
    primary_row,
    run_line,
    study_in_chinese,
    study_line,
)
from orchestration.evidence.landings import COMPARISONS, families, landing, own_outcomes, weight
from warehouse.build_database import rows_of

#: Rows of the page on the primary test.
REAL = (
    ("growth", PRIMARY),
    ("cycle", "primary.cm_growth_official_cycle.newest"),
    ("growth", "primary.cm_growth_official.study_window"),
    ("cycle", "primary.cm_growth_official_cycle.study_window"),
    ("deflated growth", "primary.cm_growth_deflated.newest"),
    ("its cycle", "primary.cm_growth_deflated_cycle.newest"),
    ("deflated growth", "primary.cm_growth_deflated.study_window"),
    ("its cycle", "primary.cm_growth_deflated_cycle.study_window"),
)
#: Checks in the order of the page; batches and provinces are one row each.
CHECKS = (
    ("headline", "newest", "main test"),
    ("dates", "announcement", "from the year of the announcement"),
    ("dates", "a_year_earlier", "anticipation: a year earlier"),
    ("years", "without_2020", "pandemic: without 2020"),
    ("years", "without_2020_to_2022", "without 2020 to 2022"),
    ("measure", "capped", "gaps capped at their 90 % quantile"),
    ("province", None, "without one province"),
    ("batch", None, "without one batch"),
    ("controls", "never_admitted", "controls never admitted to this day"),
    ("controls", "admitted_later", "not-yet-treated controls alone"),
    ("evidence", "index_alone", "growth from the published index alone"),
    ("evidence", "without_index_alone", "without cities with an unconfirmed index"),
    ("statistic", "adjusted", "net of size and coast, chosen after the fact"),
    ("series", "growth_deflated", "deflated growth"),
    ("series", "growth_employed", "growth of employment"),
    ("series", "growth_wage", "growth of wages"),
    ("series", "growth_night_lights", "growth of night light, without the first two batches"),
)
OFFICIAL = "cm_growth_official"
#: Analyses that are a range on the page on mechanisms, by the heading there.
RANGES = (("Rival explanations", "confounders"), ("Spillovers", "spillovers"))
LEVELS = {
    "growth_official": "growth",
    "ln_employed_per_head": "employment",
    "ln_credit_per_head": "credit",
    "ln_fdi_per_head": "foreign investment",
    "ln_investment_per_head": "fixed investment",
}
RINGS = {
    "near_pilot_100": "0-100 km",
    "near_pilot_200": "100-200 km",
    "near_pilot_300": "200-300 km",
    "tied_to_pilot": "tied",
    "own_admission": "treated cities",
}
VERDICTS = {
    "found": "found",
    "not_found_could_have_been": "not found though it could have been",
    "not_found_could_not_have_been": "not found, a small effect would be missed",
    "not_identified": "not identified",
    "not_run": "not run",
}


def real_rows(con: Con) -> list[list[str]]:
    """The primary test on the real admissions."""
    header = [
        "series, window",
        "mean synchronization before",
        "after",
        "without admission",
        "estimate (95 %)",
        "p",
        "p of both series",
        "p of this series over all yearly windows",
        "uniform rise, fall that the p of both series finds in 80 %",
    ]
    rows = [header]
    for name, spec_id in REAL:
        row = primary_row(con, spec_id)
        rows.append(
            [
                f"{name} {row['first_year']}-{row['last_year']}",
                *(size(row[column]) for column in ("before", "after", "without_admission")),
                f"{signed(row['estimate'])} ({interval(row)})",
                *(p_of(row[column]) for column in ("p_value", "p_value_family")),
                p_of(row["p_value_refreshes"]),
                f"{size(row['minimum_detectable_rise'])}, {size(row['minimum_detectable_fall'])}",
            ]
        )
    return rows


def real(con: Con) -> str:
    """The test of growth on the real admissions, and which cells have a negative weight."""
    row = primary_row(con, PRIMARY)
    return (
        f"9,999 draws, delivered files, {run_line(con)}. Growth "
        f"{row['first_year']}-{row['last_year']} has {signed(row['estimate'])} ({interval(row)}), "
        f"p of both series {p_of(row['p_value_family'])}; {row['n_negative']} of "
        f"{row['n_treated_years']} treated city-years have negative weight (together "
        f"{row['weight_negative']:.3f}), {row['n_unidentified']} none."
    )


def check_rows(con: Con) -> list[list[str]]:
    """The primary test in other ways."""
    rows = [["check", "growth", "cycle"]]
    of_headline = _cities(con, "headline", "newest")
    for kind, name, label in CHECKS:
        cells = [_check_cell(con, kind, name, series) for series in ("growth", "cycle")]
        if cells != ["", ""]:
            sample = _cities(con, kind, name)
            if sample == of_headline and kind != "headline":
                sample = ""
            rows.append([label + sample, *cells])
    return rows


def checks(con: Con) -> str:
    """What is joint about the primary test in other ways, and its estimate net of other lists."""
    [joint] = rows_of(
        con,
        """select max(joint_p_value) as p, count(*) filter (where joint_p_value is null
            and p_value is not null) as n, count(*) filter (where joint_p_value is null
            and p_value < 0.05) as below from estimates.check""",
    )
    [channels] = rows_of(
        con,
        """select count(p_value) as n, count(*) filter (where p_value < 0.05) as below,
            min(p_value_bh) as smallest from estimates.channel""",
    )
    said = (
        "Joint p of the largest statistic of the main test, dates, years, cap and provinces, both "
        f"series: **{p_of(joint['p'])}**. Of the {joint['n']} tests not in it {joint['below']} are "
        f"below 5 %, where chance gives {0.05 * joint['n']:.1f}. Of {channels['n']} rows of "
        f"**channels** {channels['below']} are below 5 %; the smallest p corrected for all of them "
        f"(Benjamini-Hochberg) is {p_of(channels['smallest'])}."
    )
    zones = _net_of_others(con).get("pilot_zones")
    if zones is None:
        return said
    return said + (
        f"\n\n**Net of other policies** ([lists](policy.md)) growth has {_change(zones)}."
    )


def placebos(con: Con) -> str:
    """Placebos and selection, tested jointly, and the drift that would hide a change."""
    found = rows_of(
        con,
        """select spec_id, placebo, count(*) as n, min(p_value) as p,
            arg_min(name, p_value) as name, arg_min(estimate, p_value) as estimate,
            max(joint_p_value) as joint from estimates.placebo
        group by spec_id, placebo order by spec_id != ?, placebo, spec_id""",
        PRIMARY,
    )
    kinds = {
        "time": "in time",
        "space": "in space",
        "later": "chosen later",
        "selection": "selection (percentage points of growth)",
    }
    rows = []
    for row in found:
        series = "deflated growth"
        if row["spec_id"] == PRIMARY:
            series = "official growth"
        name = RINGS.get(row["name"], row["name"].replace("_", " "))
        rows.append(
            [
                f"{kinds[row['placebo']]}, {series}",
                str(row["n"]),
                f"{p_of(row['p'])} ({name}, {signed(row['estimate'])})",
                p_of(row["joint"]),
            ]
        )
    drift = {
        row["name"]: row for row in rows_of(con, """from estimates.check where "check" = 'drift'""")
    }
    sentences = _controls_moved(con)
    if {"hides_a_rise", "hides_a_fall"} <= set(drift):
        sentences += _drift(drift["hides_a_rise"], drift["hides_a_fall"])
    return table(("placebo", "rows", "smallest p of a row", "joint p"), rows) + sentences


def _controls_moved(con: Con) -> str:
    """How far the placebo of those admitted later goes in explaining the gain on them."""
    gains = rows_of(
        con,
        """from estimates.check where "check" = 'controls' and name = 'admitted_later'
            and series = 'growth' and estimate is not null""",
    )
    moves = rows_of(con, "from estimates.placebo where placebo = 'later' and estimate is not null")
    if not gains or not moves:
        return ""
    gain, move = gains[0]["estimate"], moves[0]["estimate"]
    later = gains[0]["n_cities"] - gains[0]["n_pilots"]
    share = -move / gain
    if share <= 0:
        explained = "the same direction, so it explains nothing of the gain"
    elif share < 1:
        explained = f"{share:.2f} of the gain, by the point estimates"
    else:
        explained = f"{share:.2f} of the gain, so it may explain all of it"
    return (
        "\n\nCompared with cities admitted later alone, treated cities gain "
        f"{signed(gain)} in growth; synchronization is then with the {later} cities admitted "
        f"after {gains[0]['last_year']}. In their own placebo these {later} move by "
        f"{signed(move)}: {explained}."
    )


def _drift(rise: dict[str, Any], fall: dict[str, Any]) -> str:
    """What pilots would have had to do for other reasons for zero to leave the interval."""
    of_rise = f"{rise['relative_magnitude']:.2f} times the largest placebo in time"
    of_fall = f"{fall['relative_magnitude']:.2f} times"
    if rise["estimate"] < 0 < fall["estimate"]:
        return (
            "\n\nBy the interval of growth alone, a fall of treated cities for other reasons hides "
            f"a rise if it exceeds {size(-rise['estimate'])} ({of_rise}); a rise hides a fall if "
            f"it exceeds {size(fall['estimate'])} ({of_fall})."
        )
    return (
        "\n\nZero is not in the interval. It would be if treated cities had moved, for other "
        f"reasons, by between {signed(rise['estimate'])} ({of_rise}) and "
        f"{signed(fall['estimate'])} ({of_fall})."
    )


def power(con: Con) -> str:
    """How often the p that decides finds the effects that are imposed."""
    sentences = []
    for series, spec_id in (("growth", PRIMARY), ("cycle", REAL[1][1])):
        found = rows_of(con, "from estimates.power where spec_id = ? order by imposed", spec_id)
        shares = ", ".join(f"{row['imposed']} {100 * row['share_found']:.0f}" for row in found)
        sentences.append(f"{series} {shares}")
    [draws] = rows_of(con, "select min(draws) as n from estimates.power where spec_id = ?", PRIMARY)
    head = primary_row(con, PRIMARY)
    return (
        f"Found in {head['first_year']}-{head['last_year']} by the p of both series, which "
        f"decides, in per cent of {draws['n']} draws (Monte Carlo error "
        f"{50 / draws['n'] ** 0.5:.0f} at 50 %; `estimates.power`, {run_line(con)}): "
        f"{'; '.join(sentences)}."
    )


def claims(con: Con) -> str:
    """How far the claims of the study got, and why some could not be judged."""
    counted = rows_of(
        con, "select verdict, count(*) as n from estimates.claim group by verdict order by verdict"
    )
    lines = [f"{VERDICTS.get(row['verdict'], row['verdict'])} {row['n']}" for row in counted]
    unjudged = rows_of(
        con,
        "select claim_id, verdict, reason from estimates.claim "
        "where verdict in ('not_run', 'not_identified') order by claim_id",
    )
    reasons = [
        f"`{row['claim_id']}`, {VERDICTS[row['verdict']]}: {row['reason']}" for row in unjudged
    ]
    return "\n- ".join([f"Claims by verdict: {'; '.join(lines)}.\n", *reasons])


def placebos_of_rings(con: Con) -> str:
    """Rows of rings and ties whose placebo before any zone has a p below 5 %."""
    found = rows_of(
        con,
        f"""select d.spec_id, d.value, max(e.n_pilots) as n_pilots
        from estimates.diagnostic as d join estimates.estimate as e using (spec_id, term)
        where diagnostic = 'placebo_before_p' and value < {LEVEL} and is_default
            and spec_id like 'radiation.%' group by all order by spec_id""",
    )
    rows = [
        f"`{row['spec_id'].partition('.')[2]}` {p_of(row['value'])} ({row['n_pilots']} cities)"
        for row in found
    ]
    return (
        "The same test on years before any zone has a p below 5 % in "
        f"({run_line(con)}): {', '.join(rows) or 'none'}."
    )


def next_window(con: Con) -> str:
    """How far the next window is known already, and what its look spends."""
    [row] = rows_of(
        con,
        "from estimates.next_window where spec_id = ? and rule_name = 'committed'",
        PRIMARY,
    )
    last = row["last_year"]
    return (
        f"Of the window to {last} all years but one are those of this run: the statistics of "
        f"growth to {last - 2} and to {last - 1} are correlated "
        f"{row['correlation_with_last']:.2f}, so a finding then is no replication. In growth the "
        f"newest look spends {100 * row['share_of_level']:.2f} points of the 5 % ({run_line(con)})."
    )


def leads(con: Con) -> list[list[str]]:
    """Whether the cycle of a treated city leads that of its partners."""
    rows = _default_rows(con, "spec_id like 'radiation.lead_%'")
    return _coefficients(rows, "radiation.lead_")


def mechanism_rows(con: Con) -> list[list[str]]:
    """Mechanisms and other outcomes row by row."""
    rows = _of_analysis(con, "mechanisms", "") + _of_analysis(con, "alternative_outcomes", "cm_")
    return _coefficients([row for row in rows if "comove" not in row["spec_id"]])


def mechanisms(con: Con) -> str:
    """Rival explanations and spillovers, variants of one regression, as a range."""
    parts = [f"Both landings joined, {run_line(con)}."]
    for heading, analysis in RANGES:
        rows = _of_analysis(con, analysis, OFFICIAL)
        if rows:
            parts.append(f"**{heading}**: {_range(rows)}")
    return "\n\n".join(parts)


def _of_analysis(con: Con, analysis: str, outcome: str) -> list[dict[str, Any]]:
    return _default_rows(
        con,
        f"""analysis = '{analysis}' and starts_with(outcome, '{outcome}')
        and term in ('treated', 'exposed', 'att') and event_time is null and cohort_year is null""",
    )


def _range(rows: Sequence[dict[str, Any]]) -> str:
    """Variants of one regression: how many, the range of their estimates and the smallest p."""
    estimates = sorted(row["estimate"] for row in rows)
    smallest = min(rows, key=lambda row: row["p_value"])
    variant = smallest["spec_id"].rsplit(".", 1)[1]
    return (
        f"{len(rows)} variants, {signed(estimates[0])} to {signed(estimates[-1])}. The smallest p "
        f"is that of `{variant}`: {_change(smallest)}."
    )


def radiation(con: Con) -> list[list[str]]:
    """Rings around pilots and ties to one."""
    rows = [["outcome", *RINGS.values()]]
    for outcome, label in LEVELS.items():
        by_ring = {
            row["spec_id"].rsplit(".", 1)[1]: row
            for row in _default_rows(con, f"starts_with(spec_id, 'radiation.{outcome}.')")
        }
        cells = []
        for ring in RINGS:
            row = by_ring.get(ring)
            cells.append("" if row is None else _change(row))
        if any(cells):
            rows.append([label, *cells])
    return rows


def stood_out(con: Con) -> str:
    """Coefficients, channels and own outcomes below 5 % before correction: those that are found
    or doubted by name, and how many others there are.
    """
    found = rows_of(
        con,
        """from estimates.stood_out
        where source_table in ('estimate', 'channel', 'own_outcome') and family is not null
        order by source_table = 'own_outcome', source_table, spec_id, name, comparison, estimate""",
    )
    rows = []
    n_others = 0
    for row in found:
        if row["belief"] == "not_found":
            n_others += 1
            continue
        family = f"{row['family'].replace('_', ' ')} ({row['family_size']} tests)"
        corrected = f"{p_of(row['p_value_family'])}, {family}"
        rows.append(
            [_stood_out_name(row), _change(row), corrected, row["belief"].replace("_", " ")]
        )
    header = ("row", "estimate (95 %), p", "corrected p", "result")
    return (
        f"{table(header, rows)}\n\nFurther rows that are not found after correction: {n_others} "
        "(`estimates.stood_out`)."
    )


def policies(con: Con) -> list[list[str]]:
    """Lists of the seeds on growth, with what their placebos say, and net of the other lists."""
    found = rows_of(
        con,
        f"""from estimates.policy
        where comparison = 'plain' and outcome = '{OFFICIAL}' order by policy""",
    )
    nets = _net_of_others(con)
    header = [
        "list, years",
        "listed of all cities",
        "estimate (95 %), p of growth alone",
        "p of all lists",
        "found in 80 %",
        "p of growth before, p moved back",
        "net of the others, its own p",
    ]
    rows = [header]
    for row in found:
        name = f"{row['policy']}, {row['first_year']}-{row['last_year']}"
        cities = f"{row['n_pilots']} of {row['n_cities']}, {row['n_movable']} movable"
        if row["estimate"] is None:
            rows.append([name, cities, row["reason"], "", "", "", ""])
            continue
        net = nets.get(row["policy"])
        rows.append(
            [
                name,
                cities,
                _change(row),
                p_of(row["p_value_family"]),
                size(row["minimum_detectable_effect"]),
                f"{p_of(row['p_value_selection'])}, {p_of(row['p_value_placebo'])}",
                "" if net is None else _change(net),
            ]
        )
    return rows


def _net_of_others(con: Con) -> dict[str, dict[str, Any]]:
    """The estimate of each list net of the other lists, on official growth, by list."""
    query = (
        "from estimates.policy where comparison = 'net_of_others' and estimate is not null "
        f"and outcome = '{OFFICIAL}'"
    )
    return {row["policy"]: row for row in rows_of(con, query)}


def _stood_out_name(row: dict[str, Any]) -> str:
    if row["source_table"] == "own_outcome":
        against = COMPARISONS[row["comparison"]]
        return f"own outcome: {row['name'].replace('_', ' ')} against {against}"
    return f"`{row['spec_id']}` {row['name']}"


def _check_cell(con: Con, kind: str, name: str | None, series: str) -> str:
    """One check of a series; of several the range of estimates and of p."""
    query = 'from estimates.check where "check" = ? and series = ? and estimate is not null'
    rows = rows_of(con, query, kind, series)
    rows = [row for row in rows if name in (None, row["name"])]
    if not rows:
        return ""
    largest = max(
        (max(row["minimum_detectable_rise"], row["minimum_detectable_fall"]) for row in rows),
    )
    if len(rows) == 1:
        [row] = rows
        both = ""
        if row["p_value_family"] is not None and row["p_value"] < LEVEL:
            both = f" (of both series {p_of(row['p_value_family'])})"
        return f"{_change(row)}{both}; {size(largest)}"
    estimates = sorted(row["estimate"] for row in rows)
    ps = sorted(row["p_value"] for row in rows)
    return (
        f"{signed(estimates[0])} to {signed(estimates[-1])}, {p_of(ps[0])} to {p_of(ps[-1])}; "
        f"{size(largest)}"
    )


def _cities(con: Con, kind: str, name: str | None) -> str:
    """How many cities, pilots among them and years a check has; of several how many they are."""
    query = """select name, n_cities, n_pilots, first_year, last_year from estimates.check
        where "check" = ? and series = 'growth' and estimate is not null"""
    rows = [row for row in rows_of(con, query, kind) if name in (None, row["name"])]
    if name is None:
        return f" ({len(rows)} of them)"
    if not rows:
        return ""
    [row] = rows
    return (
        f" ({row['n_pilots']} of {row['n_cities']} cities, {row['first_year']}-{row['last_year']})"
    )


def _default_rows(con: Con, where: str) -> list[dict[str, Any]]:
    query = f"from estimates.estimate where is_default and {where} order by spec_id, term"
    return rows_of(con, query)


def _change(row: Any) -> str:
    return f"{signed(row['estimate'])} ({interval(row)}), {p_of(row['p_value'])}"


def _coefficients(rows: Sequence[dict[str, Any]], prefix: str = "") -> list[list[str]]:
    """Rows of estimates, with the p that is corrected in their families where they have one."""
    lines = [["outcome, variant", "treated cities", "estimate (95 %), p", "corrected p", "tests"]]
    for row in rows:
        name = row["spec_id"].removeprefix(prefix)
        corrected = p_of(row["p_value_family"])
        tests = str(row["family_size"] or "")
        lines.append([name, str(row["n_pilots"]), _change(row), corrected, tests])
    return lines


#: Name in a page: what makes it.
BLOCKS: dict[str, Callable[[Con], str]] = {
    "run": run_line,
    "answer": answer,
    "answer in chinese": answer_in_chinese,
    "picture": picture_line,
    "study": study_line,
    "index": index_line,
    "real": real,
    "checks": checks,
    "placebos": placebos,
    "power": power,
    "picture in chinese": picture_in_chinese,
    "study in chinese": study_in_chinese,
    "placebos of rings": placebos_of_rings,
    "next window": next_window,
    "claims": claims,
    "mechanisms": mechanisms,
    "stood out": stood_out,
    "landing joined": landing,
    "landing first": landing,
}
#: Parts made from a publication that has the first of the two delivered landings alone.
FIRST_LANDING = {"landing first"}
#: Name of a file beside the pages: what makes its rows; of each landing, and of both joined.
LANDING_TABLES = {"weight": weight, "outcomes": own_outcomes, "families": families}
TABLES = {
    "real": real_rows,
    "checks": check_rows,
    "mechanisms": mechanism_rows,
    "leads": leads,
    "rings": radiation,
    "policies": policies,
}
