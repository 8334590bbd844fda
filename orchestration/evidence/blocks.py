"""Define the parts of pages that print figures of the delivered statistics, by name, and tables."""

from __future__ import annotations

from estimation.defaults import LEVEL
from orchestration.evidence.figures import Part
from orchestration.evidence.landings import AGAINST, FAMILIES, LANDING, OWN_OUTCOMES, WEIGHT
from orchestration.evidence.readme_sentences import FIGURES, PARTS, PRIMARY
from warehouse.sql_text import literal_map

CYCLE = "primary.cm_growth_official_cycle.newest"
OFFICIAL = "cm_growth_official"
CHANGE = "change_of(estimate, ci_low, ci_high, p_value)"
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
RING = literal_map(RINGS)
VERDICT = literal_map(VERDICTS)

#: The test of growth on the real admissions, and which cells have a negative weight.
REAL = Part(
    "9,999 draws, delivered files, {run}. Growth {first_year}-{last_year} has {estimate} "
    "({interval}), p of both series {p_of_both}; {n_negative} of {n_treated_years} treated "
    "city-years have negative weight (together {weight_negative}), {n_unidentified} none.",
    FIGURES,
)
#: The primary test on the real admissions.
REAL_ROWS = f"""
with listed(nth, series, spec_id) as (values
    (1, 'growth', '{PRIMARY}'),
    (2, 'cycle', '{CYCLE}'),
    (3, 'growth', 'primary.cm_growth_official.study_window'),
    (4, 'cycle', 'primary.cm_growth_official_cycle.study_window'),
    (5, 'deflated growth', 'primary.cm_growth_deflated.newest'),
    (6, 'its cycle', 'primary.cm_growth_deflated_cycle.newest'),
    (7, 'deflated growth', 'primary.cm_growth_deflated.study_window'),
    (8, 'its cycle', 'primary.cm_growth_deflated_cycle.study_window')
)
select format('{{}} {{}}-{{}}', series, first_year, last_year) as "series, window",
    size("before") as "mean synchronization before", size("after") as "after",
    size(without_admission) as "without admission",
    signed(estimate) || ' (' || interval_of(ci_low, ci_high) || ')' as "estimate (95 %)",
    p_of(p_value) as p, p_of(p_value_family) as "p of both series",
    p_of(p_value_refreshes) as "p of this series over all yearly windows",
    size(minimum_detectable_rise) || ', ' || size(minimum_detectable_fall)
        as "uniform rise, fall that the p of both series finds in 80 %"
from listed join estimates.primary using (spec_id) order by nth
"""
#: The primary test in other ways; batches and provinces are one row each. A row says how many
#: cities it has where they are others than those of the main test.
CHECK_ROWS = f"""
with listed(nth, kind, name, label) as (values
    (1, 'headline', 'newest', 'main test'),
    (2, 'dates', 'announcement', 'from the year of the announcement'),
    (3, 'dates', 'a_year_earlier', 'anticipation: a year earlier'),
    (4, 'years', 'without_2020', 'pandemic: without 2020'),
    (5, 'years', 'without_2020_to_2022', 'without 2020 to 2022'),
    (6, 'measure', 'capped', 'gaps capped at their 90 % quantile'),
    (7, 'province', null, 'without one province'),
    (8, 'batch', null, 'without one batch'),
    (9, 'controls', 'never_admitted', 'controls never admitted to this day'),
    (10, 'controls', 'admitted_later', 'not-yet-treated controls alone'),
    (11, 'evidence', 'index_alone', 'growth from the published index alone'),
    (12, 'evidence', 'without_index_alone', 'without cities with an unconfirmed index'),
    (13, 'statistic', 'adjusted', 'net of size and coast, chosen after the fact'),
    (14, 'series', 'growth_deflated', 'deflated growth'),
    (15, 'series', 'growth_employed', 'growth of employment'),
    (16, 'series', 'growth_wage', 'growth of wages'),
    (17, 'series', 'growth_night_lights', 'growth of night light, without the first two batches')
),
found as (
    select nth, label, listed.name is null as is_several, tested.*
    from listed join estimates.check as tested
        on tested."check" = kind and tested.name = coalesce(listed.name, tested.name)
    where estimate is not null
),
samples as (
    select nth, label, case
        when is_several then format(' ({{}} of them)', count(*) filter (series = 'growth'))
        else any_value(
            format(' ({{}} of {{}} cities, {{}}-{{}})', n_pilots, n_cities, first_year, last_year)
        ) filter (series = 'growth')
    end as sample
    from found group by nth, label, is_several
),
cells as (
    select nth, series, case
        when count(*) = 1 then any_value({CHANGE}) || any_value(if(
            p_value < {LEVEL} and p_value_family is not null,
            format(' (of both series {{}})', p_of(p_value_family)), ''))
        else signed(min(estimate)) || ' to ' || signed(max(estimate)) || ', '
            || p_of(min(p_value)) || ' to ' || p_of(max(p_value))
    end || '; ' || size(max(greatest(minimum_detectable_rise, minimum_detectable_fall))) as cell
    from found group by nth, series
)
select label || if(
        nth > 1 and sample = max(sample) filter (nth = 1) over (), '', coalesce(sample, '')
    ) as "check",
    (select cell from cells where nth = samples.nth and series = 'growth') as growth,
    (select cell from cells where nth = samples.nth and series = 'cycle') as cycle
from samples order by nth
"""
#: What is joint about the primary test in other ways, and its estimate net of other lists.
CHECKS = Part(
    "Joint p of the largest statistic of the main test, dates, years, cap and provinces, both "
    "series: **{p}**. Of the {n} tests not in it {below} are below 5 %, where chance gives "
    "{expected}. Of {n_channels} rows of **channels** {channels_below} are below 5 %; the smallest "
    "p corrected for all of them (Benjamini-Hochberg) is {smallest}.{net_of_others}",
    f"""select p_of(max(joint_p_value)) as p,
        count(*) filter (joint_p_value is null and p_value is not null) as n,
        format('{{:.1f}}', {LEVEL}::double * n) as expected,
        count(*) filter (joint_p_value is null and p_value < {LEVEL}) as below,
        (select count(p_value) from estimates.channel) as n_channels,
        (select count(*) from estimates.channel where p_value < {LEVEL}) as channels_below,
        (select p_of(min(p_value_bh)) from estimates.channel) as smallest,
        coalesce((
            select format('{{}}{{}}Net of other policies ([lists](policy.md)) growth has {{}}; '
                || 'this p is uncorrected and decides nothing.',
                chr(10), chr(10), {CHANGE})
            from estimates.policy where comparison = 'net_of_others' and estimate is not null
                and outcome = '{OFFICIAL}' and policy = 'pilot_zones'
        ), '') as net_of_others
    from estimates.check""",
)
#: Placebos and selection, tested jointly; and what pilots would have had to do for other reasons
#: for zero to leave the interval.
PLACEBOS = Part(
    "| placebo | rows | smallest p of a row | joint p |\n| --- | --- | --- | --- |{rows}{drift}",
    f"""with grouped as (
        select spec_id, placebo, count(*) as n, min(p_value) as p, max(joint_p_value) as joint,
            arg_min(name, p_value) as name, arg_min(estimate, p_value) as estimate
        from estimates.placebo group by spec_id, placebo
    ),
    lines as (
        select string_agg(chr(10) || replace(format(
                '| {{}}, {{}} | {{}} | {{}} ({{}}, {{}}) | {{}} |',
                map {{'time': 'in time', 'space': 'in space', 'later': 'chosen later',
                    'selection': 'selection (percentage points of growth)'}}[placebo],
                if(spec_id = '{PRIMARY}', 'official growth', 'deflated growth'), n, p_of(p),
                coalesce({RING}[name], words(name)), signed(estimate), p_of(joint)
            ), '|  |', '| |'), '' order by spec_id != '{PRIMARY}', placebo, spec_id) as lines
        from grouped
    ),
    drifts as (
        select rise.estimate as rise, fall.estimate as fall,
            format(
                '{{:.2f}} times the largest placebo in time of this series', rise.relative_magnitude
            ) as of_rise,
            format('{{:.2f}} times', fall.relative_magnitude) as of_fall
        from estimates.check as rise, estimates.check as fall
        where rise."check" = 'drift' and rise.name = 'hides_a_rise'
            and fall."check" = 'drift' and fall.name = 'hides_a_fall'
    )
    select coalesce(lines, '') as rows,
        coalesce((select chr(10) || chr(10) || if(rise < 0 and fall > 0,
            format('By the interval of growth alone, a fall of treated cities for other reasons '
                || 'hides a rise if it exceeds {{}} ({{}}); a rise hides a fall if it exceeds {{}} '
                || '({{}}).', size(-rise), of_rise, size(fall), of_fall),
            format('Zero is not in the interval. It would be if treated cities had moved, for '
                || 'other reasons, by between {{}} ({{}}) and {{}} ({{}}).',
                signed(rise), of_rise, signed(fall), of_fall)
        ) from drifts), '') as drift
    from lines""",
)
#: How often the p that decides finds the effects that are imposed.
POWER = Part(
    "Found in {first_year}-{last_year} by the p of both series, which decides, in per cent of "
    "{draws} draws (Monte Carlo error {error} at 50 %; `estimates.power`, {run}): growth {growth}; "
    "cycle {cycle}.",
    f"""with found as (
        select spec_id, min(draws) as draws, string_agg(
            imposed || ': ' || format('{{:.0f}}', 100 * share_found), ', ' order by imposed
        ) as shares
        from estimates.power group by spec_id
    )
    select first_year, last_year, draws, format('{{:.0f}}', 50 / sqrt(draws)) as error,
        run_of() as run, shares as growth,
        coalesce((select shares from found where spec_id = '{CYCLE}'), '') as cycle
    from estimates.primary join found using (spec_id) where spec_id = '{PRIMARY}'""",
)
#: How far the claims of the study got, and why some could not be tested.
CLAIMS = Part(
    "Claims by verdict ('could have been': by the uncorrected p, but for the net effect): "
    "{verdicts}.\n{reasons}",
    f"""with counted as (
        select verdict, count(*) as n from estimates.claim group by verdict
    )
    select string_agg(format('{{}} {{}}', coalesce({VERDICT}[verdict], verdict), n), '; '
            order by verdict) as verdicts,
        coalesce((
            select string_agg(chr(10) || format(
                '- `{{}}`, {{}}: {{}}', claim_id, {VERDICT}[verdict], reason
            ), '' order by claim_id)
            from estimates.claim where verdict in ('not_run', 'not_identified')
        ), '') as reasons
    from counted""",
)
#: Rows of rings and ties whose placebo before any zone has a p below 5 %.
PLACEBOS_OF_RINGS = Part(
    "The same test on years before any zone has a p below 5 % in ({run}): {rows}.",
    f"""with found as (
        select d.spec_id, d.value, max(e.n_pilots) as n_pilots
        from estimates.diagnostic as d join estimates.estimate as e using (spec_id, term)
        where diagnostic = 'placebo_before_p' and value < {LEVEL} and is_default
            and spec_id like 'radiation.%' group by all
    )
    select run_of() as run, coalesce(string_agg(format(
        '`{{}}` {{}} ({{}} cities)', substr(spec_id, len('radiation.') + 1), p_of(value), n_pilots
    ), ', ' order by spec_id), 'none') as rows from found""",
)
#: How far the next window is known already, and what its look spends.
NEXT_WINDOW = Part(
    "Of the window to {last_year} all years but one are those of this run: the statistics of "
    "growth to {two_before} and to {one_before} are correlated {correlation}, so a finding then is "
    "no replication. In growth the newest look spends {spent} points of the 5 % ({run}).",
    f"""select last_year, last_year - 2 as two_before, last_year - 1 as one_before,
        format('{{:.2f}}', correlation_with_last) as correlation,
        format('{{:.2f}}', 100 * share_of_level) as spent, run_of() as run
    from estimates.next_window where spec_id = '{PRIMARY}' and rule_name = 'committed'""",
)
#: Rival explanations and spillovers, variants of one regression: how many, the range of their
#: estimates and the smallest p.
MECHANISMS = Part(
    "Both landings joined, {run}.{ranges}",
    f"""with variants as (
        select if(analysis = 'confounders', 'Rival explanations', 'Spillovers') as heading,
            estimate, split_part(spec_id, '.', -1) as variant, {CHANGE} as change,
            row_number() over (partition by analysis order by p_value, spec_id) as nth
        from estimates.estimate
        where analysis in ('confounders', 'spillovers') and is_default
            and starts_with(outcome, '{OFFICIAL}') and term in ('treated', 'exposed', 'att')
            and event_time is null and cohort_year is null
    ),
    ranges as (
        select heading, format(
            '{{}} variants, {{}} to {{}}. The smallest p is that of `{{}}`: {{}}.',
            count(*), signed(min(estimate)), signed(max(estimate)),
            any_value(variant) filter (nth = 1), any_value(change) filter (nth = 1)
        ) as range
        from variants group by heading
    )
    select run_of() as run, coalesce(string_agg(
        chr(10) || chr(10) || '**' || heading || '**: ' || range, '' order by heading
    ), '') as ranges from ranges""",
)
#: Coefficients with the p that is corrected in their families where they have one.
COEFFICIENTS = f"""
select regexp_replace(spec_id, '^radiation.lead_', '') as "outcome, variant",
    n_pilots as "treated cities", {CHANGE} as "estimate (95 %), p",
    p_of(p_value_family) as "corrected p", nullif(family_size, 0) as tests
from estimates.estimate where is_default
"""
#: Whether the cycle of a treated city leads that of its partners.
LEADS = f"{COEFFICIENTS} and spec_id like 'radiation.lead_%' order by spec_id, term"
#: Mechanisms and other outcomes row by row.
MECHANISM_ROWS = f"""
{COEFFICIENTS} and spec_id not like '%comove%' and event_time is null and cohort_year is null
    and term in ('treated', 'exposed', 'att') and (analysis = 'mechanisms'
        or analysis = 'alternative_outcomes' and starts_with(outcome, 'cm_'))
order by analysis = 'alternative_outcomes', spec_id, term
"""
IN_RING = "max(cell) filter (ring = '{}') as \"{}\""
#: Rings around pilots and ties to one.
RADIATION = f"""
with levels(nth, outcome, label) as (values
    (1, 'growth_official', 'growth'),
    (2, 'ln_employed_per_head', 'employment'),
    (3, 'ln_credit_per_head', 'credit'),
    (4, 'ln_fdi_per_head', 'foreign investment'),
    (5, 'ln_investment_per_head', 'fixed investment')
),
cells as (
    select nth, label, split_part(spec_id, '.', -1) as ring, {CHANGE} as cell
    from levels join estimates.estimate
        on starts_with(spec_id, 'radiation.' || levels.outcome || '.') and is_default
)
select label as outcome, {", ".join(IN_RING.format(*ring) for ring in RINGS.items())}
from cells where ring in {tuple(RINGS)} group by nth, label order by nth
"""
#: Coefficients, channels and own outcomes below 5 % before correction: those that are found or
#: doubted by name, and how many others there are.
STOOD_OUT = Part(
    "| row | estimate (95 %), p | corrected p | result |\n| --- | --- | --- | --- |{rows}\n\n"
    "Further rows that are not found after correction: {n_others} (`estimates.stood_out`).",
    f"""select count(*) filter (belief = 'not_found') as n_others,
        coalesce(string_agg(chr(10) || replace(format(
            '| {{}} | {{}} | {{}}, {{}} ({{}} tests) | {{}} |', if(source_table = 'own_outcome',
                'own outcome: ' || words(name) || ' against ' || {AGAINST},
                '`' || spec_id || '` ' || name),
            {CHANGE}, p_of(p_value_family), words(family), family_size, words(belief)
        ), '|  |', '| |'), ''
            order by source_table = 'own_outcome', source_table, spec_id, name, comparison, estimate
        ) filter (belief != 'not_found'), '') as rows
    from estimates.stood_out
    where source_table in ('estimate', 'channel', 'own_outcome') and family is not null""",
)
#: Lists of the seeds on growth, with what their placebos say, and net of the other lists.
POLICIES = f"""
with of_growth as (
    select *, {CHANGE} as change from estimates.policy where outcome = '{OFFICIAL}'
),
net as (
    select policy, change from of_growth
    where comparison = 'net_of_others' and estimate is not null
)
select format('{{}}, {{}}-{{}}', policy, first_year, last_year) as "list, years",
    format('{{}} of {{}}, {{}} movable', n_pilots, n_cities, n_movable) as "listed of all cities",
    if(estimate is null, reason, of_growth.change) as "estimate (95 %), p of growth alone",
    if(estimate is null, '', p_of(p_value_family)) as "p of all lists",
    if(estimate is null, '', size(minimum_detectable_effect)) as "found in 80 %",
    if(estimate is null, '', p_of(p_value_selection) || ', ' || p_of(p_value_placebo))
        as "p of growth before, p moved back",
    if(estimate is null, '', net.change) as "net of the others, its own p"
from of_growth left join net using (policy) where comparison = 'plain' order by policy
"""

#: Part by its name in a page.
BLOCKS = {
    **PARTS,
    "run": Part("{run}", "select run_of() as run"),
    "real": REAL,
    "checks": CHECKS,
    "placebos": PLACEBOS,
    "power": POWER,
    "placebos of rings": PLACEBOS_OF_RINGS,
    "next window": NEXT_WINDOW,
    "claims": CLAIMS,
    "mechanisms": MECHANISMS,
    "stood out": STOOD_OUT,
    "landing joined": LANDING,
    "landing first": LANDING,
}
#: Parts made from a publication that has the first of the two delivered landings alone.
FIRST_LANDING = {"landing first"}
#: Name of a file beside the pages, and the query of its table; of each landing, and of both joined.
LANDING_TABLES = {"weight": WEIGHT, "outcomes": OWN_OUTCOMES, "families": FAMILIES}
TABLES = {
    "real": REAL_ROWS,
    "checks": CHECK_ROWS,
    "mechanisms": MECHANISM_ROWS,
    "leads": LEADS,
    "rings": RADIATION,
    "policies": POLICIES,
}
