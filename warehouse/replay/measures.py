"""Measure for each rule the figures of one cell, and give the threshold: queries on the models that
`replay` made, most of them on a model's own steps (`query_of`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: How a measure is meant: a distance in logs (of rates in points), a figure, a share, a number.
LOG, FIGURE, SHARE, COUNT = "log", "figure", "share", "count"


@dataclass(frozen=True)
class Measure:
    """A test that a rule makes.

    Attributes
    ----------
    rule : str
        As in `quality_rule`.
    what : str
        What is measured, for people.
    kind : str
        `LOG`, `FIGURE`, `SHARE` or `COUNT`.
    query : str
        SQL whose rows are observation_id, measured, threshold and note. An observation may have a
        row for each of several other sources, of which `cell.measure` keeps one.
    model, cte : str, optional
        The model and its step that the query reads; without them it reads finished models.
    is_at_most : bool
        Whether the rule finds what is at most the threshold (exact agreement), not at least.
    """

    rule: str
    what: str
    kind: str
    query: str
    model: str = ""
    cte: str = ""
    is_at_most: bool = False


#: What the queries name in braces: `short` writes a number with three digits, `size` a distance in
#: logs as a share, that of a rate in points.
WORDS: dict[str, Any] = {
    "limits": "inner join int_indicator_limits as limits on one.indicator_id = limits.indicator_id",
    "corroborated": "left join int_values_corroborated as corroborated on one.observation_id = "
    "corroborated.observation_id",
    "vouched": "when corroborated.is_vouched then 'other sources confirm the figure'",
    "short": "format('{{:.3g}}', round({}, 6))".format,
    "size": (
        "case when one.rate_unit is not null then format('{{:.3g}} points', round(100 * ({0}), 6)) "
        "when {0} > ln(10) then format('{{:.3g}} times', exp({0})) "
        "else format('{{:.3g}} %', round(100 * (exp({0}) - 1), 6)) end"
    ).format,
}
#: How far a figure is from that of each other source; with `n_alike`, in how many cities of the
#: province a figure differs alone.
_COMPARED = """
    select observation_id,
    gap as measured,
    mismatch_differs as threshold,
    other_source_id || case
    when relation <> 'independent' then ' (' || relation || ')'
    else '' end || coalesce(', ' || case
    when measured >= threshold then case
    when not (is_heard or is_weaker) then 'which is not heard against it'
    when nearest_gap <= greatest(mismatch_equal, gap / 4) then 'but another source is only ' ||
    {{ size('nearest_gap') }} || ' from it, more than ' ||
    {{ size('greatest(mismatch_equal, gap / 4)') }} || ' is needed'
    when not may_be_wrong or own_miss < other_miss / 4 then 'which leaves its own trend by ' ||
    {{ size('other_miss') }} || ', this one by ' || {{ size('own_miss') }}
    when not (is_contrary or is_isolated) then 'and the two agree in ' || n_equal_years ||
    ' of the four nearest years, ' || {{ short('mismatch_equal_years') }} || ' are needed'
    else 'so in ' || n_alike || ' of ' || n_cities || ' cities of the province, ' ||
    {{ short('greatest(vintage_min_cities, ceil(vintage_share * n_cities))') }} ||
    ' make it a vintage' end end, '') as note
    from (select *, count(*) filter (where is_isolated or is_apart) over province_year as n_alike,
    count(*) over province_year as n_cities from checked window province_year as (partition by
    source_id, other_source_id, indicator_id, province_id)) as one
    """
#: How far a figure is from its own trend, for a rule on places; `n_misses` cities of the province
#: are as far, and the nearest in exchange is `nearest` off.
_FROM_TREND = """
    select one.observation_id,
    placed.miss as measured,
    {{ above_noise('limits.RULE_miss', 'limits.swap_noise', 'one.noise') }} as threshold,
    case when measured >= threshold then case {{ vouched }}
    when abs(one.spike) < {{ above_noise('limits.swap_spike', 'limits.swap_noise', 'one.noise') }}
    then 'it leaves its trend and returns by ' || {{ size('abs(one.spike)') }} || ', ' ||
    {{ size(above_noise('limits.swap_spike', 'limits.swap_noise', 'one.noise')) }} || ' is needed'
    when not placed.may_be_RULE then 'cities of the province hardly differ' HELD
    end end as note
    from int_trends_delivered as one
    inner join int_trends_placed as placed on one.observation_id = placed.observation_id
    {{ limits }}
    {{ corroborated }}
    cross join lateral (select count(*) filter (may_be_RULE) as n_misses,
    min(greatest(abs(one.log_value - there.expected_log), abs(there.log_value - one.expected_log)))
    filter (may_be_RULE and city_id <> one.city_id) as nearest from int_trends_delivered as there
    inner join int_trends_placed using (observation_id, series_no, city_id, "year") where
    there.series_no = one.series_no and there.province_id = one.province_id and "year" =
    one."year")
    where limits.swap_fit is not null and one.observation_id in (select observation_id from figure)
    """
#: The share of the table of a figure that matches in one way, by another source.
_OF_TABLE = """
    select one.observation_id,
    tables.share as measured,
    tables.least as threshold,
    tables.other_source_id as note
    from int_trends_delivered as one
    inner join (select series_no, "year", other_source_id, k, place_order, count(*) filter (where
    is_match) / any_value(n_table) as share, any_value(limits.match_table_share) as least from
    checked inner join int_indicator_limits as limits on checked.indicator_id = limits.indicator_id
    where kind = 'KIND' group by all) as tables on one.series_no = tables.series_no and one."year"
    = tables."year"
    """


def _of_part(part: str, condition: str, share: str = "unsupported_share") -> Measure:
    """Return how much of a part of a new source or edition differs from known sources."""
    return Measure(
        "unsupported",
        f"share of the figures of its {part} that differ from known sources",
        SHARE,
        "select one.observation_id, count_if(beside.is_off) / count(*) as measured, greatest("
        f"any_value(beside.unsupported_cells) / count(*), any_value(beside.{share})) as threshold, "
        "count_if(beside.is_off) || ' of ' || count(*) || ' figures' as note from parts as one "
        f"inner join parts as beside on one.series_no = beside.series_no and {condition} "
        "where beside.is_off is not null group by one.observation_id",
        "int_values_apart",
        "parts",
    )


MEASURES = [
    Measure(
        "sign",
        "a figure that must be above zero",
        FIGURE,
        """
        select observation_id,
        "value" as measured,
        0.0 as threshold,
        null as note
        from checked
        where must_be_positive
        """,
        "int_observations_exact",
        "checked",
        is_at_most=True,
    ),
    Measure(
        "structure",
        "distance from the middle of the range of the catalog",
        FIGURE,
        """
        select observation_id,
        abs("value" - (min_value + max_value) / 2) as measured,
        (max_value - min_value) / 2 as threshold,
        'range ' || min_value || ' to ' || max_value as note
        from checked
        where max_value > min_value
        """,
        "int_observations_exact",
        "checked",
    ),
    Measure(
        "growth_range",
        "distance from the middle of the range of rates",
        FIGURE,
        """
        select observation_id,
        abs("value" - (min_value + max_value) / 2) as measured,
        (max_value - min_value) / 2 as threshold,
        'range ' || min_value || ' to ' || max_value || case
        when is_index then '; it reads as an index'
        else '' end as note
        from checked
        where kind in ('rate', 'index') and max_value > min_value
        """,
        "int_observations_exact",
        "checked",
    ),
    Measure(
        "index_for_growth",
        "distance from 110, the middle of what reads as an index (75 to 145)",
        FIGURE,
        """
        select observation_id,
        abs("value" - 110) as measured,
        35.0 as threshold,
        null as note
        from checked
        where kind = 'rate' and canonical_unit = 'pct' and max_value < 75
        """,
        "int_observations_exact",
        "checked",
        is_at_most=True,
    ),
    Measure(
        "growth_fraction",
        "size of the rate; a fraction is small, and 100 times it is usual",
        FIGURE,
        """
        select observation_id,
        abs("value") as measured,
        growth_fraction_max as threshold,
        case when is_table then 'most of its table are fractions'
        when measured <= threshold then '100 times it is ' ||
        {{ short_number('abs(100 * "value" - coalesce(usual_growth_pct, 10))') }} ||
        ' points from what is usual in the year, ' || growth_fraction_fit || ' are allowed' end as
        note
        from counted
        """,
        "int_observations_exact",
        "counted",
        is_at_most=True,
    ),
    Measure(
        "current_prices",
        "distance from growth of the level at current prices, in points",
        FIGURE,
        """
        select observation_id,
        abs(rate_pct - nearest_pct) as measured,
        basis_equal as threshold,
        n_nominal || ' of ' || n_table || ' figures of its table equal it' || case
        when is_whole then ', so the whole table is refused'
        when is_basis then ', so those are refused'
        when measured > threshold then ''
        when not is_fine then ', and it has one decimal: it may do so by chance'
        else ', ' || {{ short_number('100 * basis_share') }} ||
        ' % are needed, or a source with another rate' end as note
        from tables
        where nearest_pct is not null
        """,
        "int_observations_basis",
        "tables",
        is_at_most=True,
    ),
    Measure(
        "spike",
        "leaves its own trend and returns",
        LOG,
        """
        select one.observation_id,
        abs(one.spike) as measured,
        {{ above_noise('limits.spike_block', 'limits.spike_noise', 'one.noise') }} as threshold,
        case when measured >= threshold then case {{ vouched }}
        when measured < one.neighbour_spike then 'a year beside it does so by more: ' ||
        {{ size('one.neighbour_spike') }}
        when measured < limits.spike_city_noise * one.city_noise then
        'the city moves much by itself: ' || {{ size('limits.spike_city_noise * one.city_noise') }}
        || ' is needed'
        when abs(one.own_offset) <= measured / 5 then 'it is near the usual level of the city: ' ||
        {{ size('abs(one.own_offset)') }} || ' from it, more than ' || {{ size('measured / 5') }}
        || ' is needed'
        else 'it is a year of a census' end end as note
        from int_trends_delivered as one
        {{ limits }}
        {{ corroborated }}
        where abs(one.spike) is not null
        """,
    ),
    Measure(
        "spike",
        "the same without the values that the first pass refused",
        LOG,
        """
        select one.observation_id,
        abs(one.spike) as measured,
        {{ above_noise('limits.spike_quarantine', 'limits.spike_quarantine_noise', 'one.noise') }}
        as threshold,
        case when measured >= threshold then case {{ vouched }} end end as note
        from int_trends_cleaned as one
        {{ limits }}
        {{ corroborated }}
        where abs(one.spike) is not null
        """,
    ),
    Measure(
        "spike",
        "moves alone, in parts of the distance at which another source contradicts it",
        SHARE,
        """
        select observation_id,
        spike_strength as measured,
        1.0 as threshold,
        'source ' || witness_source_id || case
        when is_vouched then '; other sources confirm the figure'
        else '' end as note
        from int_values_corroborated
        where spike_strength is not null
        """,
    ),
    Measure(
        "series_end",
        "moves alone at an end, in parts of the distance at which another source contradicts it",
        SHARE,
        """
        select observation_id,
        end_strength as measured,
        1.0 as threshold,
        'source ' || witness_source_id || case
        when is_vouched then '; other sources confirm the figure'
        else '' end as note
        from int_values_corroborated
        where end_strength is not null
        """,
    ),
    Measure(
        "series_end",
        "step to the nearest years, at an end of the series",
        LOG,
        """
        select one.observation_id,
        one.end_step as measured,
        {{ above_noise('limits.revision_max', 'limits.spike_noise', 'one.noise') }} as threshold,
        case when measured >= threshold then case {{ vouched }} end end as note
        from trends as one
        {{ limits }}
        {{ corroborated }}
        where one.end_step is not null and one.is_end and one.n_years >= limits.series_end_years
        """,
        "int_observations_spike_left",
        "trends",
    ),
    Measure(
        "level_break",
        "step from the year before that stays",
        LOG,
        """
        select one.observation_id,
        abs(one.step_before) as measured,
        {{ above_noise('limits.level_break_step', 'limits.level_break_noise', 'one.noise') }}
        as threshold,
        case when measured >= threshold then case
        when abs(one.spike) >= threshold / 2 then 'it returns by ' || {{ size('abs(one.spike)') }}
        || ', less than ' || {{ size('threshold / 2') }} || ' is needed' end end as note
        from int_trends_cleaned as one
        {{ limits }}
        {{ corroborated }}
        where abs(one.step_before) is not null and limits.spike_block is not null
        """,
    ),
    Measure(
        "unit_factor",
        "leaves its own trend and returns, as a power of ten does",
        LOG,
        """
        select one.observation_id,
        abs(spike) as measured,
        greatest({{ above_noise('one.unit_factor_spike', 'one.spike_noise', 'one.noise') }},
        spike_city_noise * city_noise) as threshold,
        case when measured >= threshold then case
        when own_offset / spike <= 0.5 then 'it is near the usual level of the city: ' ||
        {{ size('abs(own_offset)') }} || ' from it, more than ' || {{ size('measured / 2') }} ||
        ' is needed' {{ vouched }}
        else 'it is ' || {{ short('exp(log_value - expected_log)') }} ||
        ' times its trend, which is no power of ten' end end as note
        from offsets as one
        {{ corroborated }}
        where spike is not null
        """,
        "int_observations_unit_factor",
        "offsets",
    ),
    Measure(
        "unit_factor",
        "distance from another source, which must be a power of ten",
        LOG,
        """
        select one.observation_id,
        abs(one.gap) as measured,
        ln(10) - limits.unit_factor_source_within as threshold,
        one.other_source_id || coalesce(', but ' || case
        when measured >= threshold then case
        when {{ power_of_ten('one.gap', 'limits.unit_factor_source_within') }} = 0 then 'it is ' ||
        {{ short('exp(one.gap)') }} || ' times that, which is no power of ten'
        when abs(one.log_value - one.expected_log) <= 1 and abs(one.own_offset) <= 1 then 'it is '
        || {{ size('abs(one.log_value - one.expected_log)') }} || ' from its own trend, more than '
        || {{ size('1.0') }} || ' is needed'
        else 'that source may be the one that leaves its trend' end end, '') as note
        from int_values_compared as one
        {{ limits }} and limits.unit_factor_spike is not null
        """,
    ),
    Measure(
        "stale",
        "distance from last year's figure",
        LOG,
        """
        select one.observation_id,
        abs(ln(one.value_as_delivered / earlier.value_as_delivered)) as measured,
        0.0 as threshold,
        case when measured > 0 then null
        when repeated.observation_id is null or repeated.earlier_observation_id in
        (select observation_id from int_observations_stale) then
        'the copy is that of the year before'
        else 'the chance of that is ' || {{ short_number('exp(repeated.log_chance)') }} ||
        ', of which ' || {{ short_number('limits.stale_chance') }} || ' is too little' end as note
        from int_values_figures as one
        inner join int_values_figures as earlier on one.series_no = earlier.series_no and
        one.city_id = earlier.city_id and one."year" = earlier."year" + 1
        {{ limits }}
        left join repeated on one.observation_id = repeated.observation_id
        where one.value_as_delivered / nullif(earlier.value_as_delivered, 0) > 0
        """,
        "int_observations_stale",
        "repeated",
        is_at_most=True,
    ),
    Measure(
        "level_run",
        "distance from where it usually is beside another source",
        LOG,
        """
        select one.observation_id,
        abs(deviation) as measured,
        run_differs as threshold,
        other_source_id || coalesce(', but ' || case
        when measured >= threshold then case
        when corroborated.is_confirmed then 'other sources confirm the figure'
        when apart_beside > run_returns * usual then 'beside the run it is still ' ||
        {{ size('apart_beside') }} || ' away, at most ' || {{ size('run_returns * usual') }} ||
        ' is allowed'
        when is_open and n_run < 3 then 'its run at an end has ' || n_run || ' years, 3 are needed'
        else 'its steps at the ends of the run are ' || {{ size('own_step') }} ||
        ', those of that source ' || {{ size('other_step') }} || ': more than ' || run_noise_ratio
        || ' times are needed' end end, '') as note
        from (select *, abs(median(deviation) over run) as usual, count(*) over run as n_run,
        coalesce(first_value(deviation_before) over run, last_value(deviation_after) over run) is
        null as is_open, greatest(0, abs(first_value(deviation_before) over run),
        abs(last_value(deviation_after) over run)) as apart_beside,
        list_avg([abs(first_value(step_before) over run), abs(last_value(step_after) over run)]) as
        own_step, list_avg([abs(first_value(other_step_before) over run),
        abs(last_value(other_step_after) over run)]) as other_step from numbered window run as
        (partition by series_no, other_source_id, side, run_no order by "year" rows between
        unbounded preceding and unbounded following)) as one
        {{ corroborated }}
        """,
        "int_observations_level_run",
        "numbered",
    ),
    Measure(
        "level_run",
        "step away in its own series, which must return",
        LOG,
        """
        select one.observation_id,
        abs(step_before) as measured,
        step_at as threshold,
        case when measured >= threshold then case {{ vouched }}
        when n_run not between 2 and run_longest then 'the level holds for ' || n_run ||
        ' years, 2 to ' || {{ short('run_longest') }} || ' are needed'
        when abs(back) >= step_at then 'it steps back by ' || {{ size('abs(back)') }} ||
        ', which must be the same up to ' || {{ size('run_returns * measured') }} ||
        ', or the level between is a usual one'
        else coalesce('it steps back by only ' || {{ size('abs(back)') }},
        'it is not known to step back') end end as note
        from (select *, count(*) over run as n_run, last_value(step_after) over run as back from
        spans window run as (partition by series_no, span_no order by "year" rows between unbounded
        preceding and unbounded following)) as one
        {{ corroborated }}
        where step_before is not null
        """,
        "int_observations_level_run_alone",
        "spans",
    ),
    Measure(
        "identity",
        "contradiction of its row",
        LOG,
        """
        {% for name, formula in detected_identities().items() %}select one.observation_id,
        abs(ln(({{ formula['parts'] }}) / ({{ formula['whole'] }}))) as measured,
        limits.identity_{{ name }} as threshold,
        '{{ formula['sentence'] }}' as note
        from int_observations_corrected as one
        inner join delivered_rows as cells on one.source_id = cells.source_id and one.file_name =
        cells.file_name and one.city_id = cells.city_id and one."year" = cells."year" and
        one.edition_year is not distinct
        from cells.edition_year
        inner join int_indicator_limits as limits on limits.indicator_id = 'gdp_nominal_cny_100m'
        where one.indicator_id in
        {{ formula['indicators'] | string | replace('[', '(') | replace(']', ')') }} and measured <
        threshold {% if not loop.last %}union all {% endif %}{% endfor %}
        """,
        "int_observations_identity",
        "delivered_rows",
    ),
    Measure(
        "identity",
        "contradiction of its row",
        LOG,
        """
        select observation_id,
        abs(difference) as measured,
        tolerance as threshold,
        'expected ' || expected || case
        when is_vouched then '; other sources confirm the figure'
        when culprit is not null and not is_culprit then '; the column that strays is ' || culprit
        else '' end || decimal_fit as note
        from (select *, max(case
        when is_culprit then indicator_id end) over (partition by source_id, edition_year,
        file_name, identity) as culprit from named)
        """,
        "int_observations_identity",
        "named",
    ),
    Measure(
        "isolated_mismatch",
        "distance from another source",
        LOG,
        _COMPARED,
        "int_observations_mismatch",
        "checked",
    ),
    Measure(
        "vintage",
        "distance from another source, so in most cities of the province",
        LOG,
        _COMPARED,
        "int_observations_mismatch",
        "checked",
    ),
    Measure(
        "swap",
        "distance from another source's figure of another sector",
        LOG,
        """
        select here.observation_id,
        abs(here.log_value - there.other_log_value) as measured,
        here.source_equal as threshold,
        there.other_source_id || ' ' || there.indicator_id || ', and the other way ' ||
        {{ short_number('100 * abs(there.log_value - here.other_log_value)') }} || ' log points' as
        note
        from of_sectors as here
        inner join of_sectors as there on here.source_id = there.source_id and here.other_source_id
        = there.other_source_id and here.total = there.total and here.city_id = there.city_id and
        here."year" = there."year" and here.indicator_id <> there.indicator_id
        """,
        "int_observations_outvoted",
        "of_sectors",
        is_at_most=True,
    ),
    Measure(
        "outvoted",
        "distance of a rate from another source, of which two must agree",
        LOG,
        """
        select observation_id,
        gap as measured,
        veto_equal as threshold,
        other_source_id || coalesce(', but ' || case
        when measured >= threshold then case
        when nearest_gap <= veto_equal then 'another source is ' || {{ size('nearest_gap') }} ||
        ' from it' else 'no two independent sources have the same other rate' end end, '') as note
        from rates as one
        where is_heard
        """,
        "int_observations_outvoted",
        "rates",
    ),
    Measure(
        "outvoted",
        "share of its table that no other source bears out",
        SHARE,
        _OF_TABLE.replace("KIND", "apart"),
        "int_values_candidates",
        "checked",
    ),
    Measure(
        "year_offset",
        "share of its table that is another year of another source",
        SHARE,
        _OF_TABLE.replace("KIND", "year"),
        "int_values_candidates",
        "checked",
    ),
    Measure(
        "row_shift",
        "share of its table that is the figure of another row of another source",
        SHARE,
        _OF_TABLE.replace("KIND", "row"),
        "int_values_candidates",
        "checked",
    ),
    Measure(
        "row_shift",
        "distance from its own trend, before it can fit another row",
        LOG,
        _FROM_TREND.replace("RULE", "row_shift").replace(
            "HELD",
            """
            else 'rows of its province that do so: ' || n_misses || ', ' ||
            {{ short('limits.row_shift_min_rows') }} || ' that fit another row are needed'
            """,
        ),
    ),
    Measure(
        "swap",
        "distance from its own trend, before it can fit another city",
        LOG,
        _FROM_TREND.replace("RULE", "swap").replace(
            "HELD",
            """
            when nearest <= limits.swap_fit then 'another rule on places explains it'
            when nearest is null then 'no other city of the province does so'
            else 'no city of the province fits in exchange: the nearest is ' ||
            {{ size('nearest') }} || ' off, at most ' || {{ size('limits.swap_fit') }} ||
            ' is allowed'
            """,
        ),
    ),
    Measure(
        "duplicated_block",
        "years nearby in which another city has the same figure",
        COUNT,
        """
        select one.observation_id,
        count(distinct twin."year") as measured,
        2 as threshold,
        'city ' || twin.city_id || ', ' || sum(here.n_digits) || ' digits together, of which ' ||
        {{ short('any_value(limits.duplicated_block_digits)') }} || ' are needed' as note
        from int_values_figures as one
        inner join int_values_figures as here on one.series_no = here.series_no and one.city_id =
        here.city_id and here."year" between one."year" - 2 and one."year" + 2
        inner join int_values_figures as twin on here.series_no = twin.series_no and here."year" =
        twin."year" and here.value_as_delivered = twin.value_as_delivered and here.city_id <>
        twin.city_id
        {{ limits }}
        group by one.observation_id,
        twin.city_id
        """,
    ),
    Measure(
        "constructed",
        "distance from the middle of the years beside it, in parts of the figure",
        SHARE,
        """
        select observation_id,
        least(abs(steps_bend), abs(growth_bend)) as measured,
        rounding as threshold,
        case when measured <= threshold then 'its step is evidence of ' ||
        {{ short('log10(abs(step) / (3 * rounding))') }} ||
        ' digits; the years of a line, at least 2, need ' || {{ short('constructed_evidence') }} ||
        ' together' end as note
        from bent
        where is_between and constructed_evidence < 99
        """,
        "int_observations_constructed",
        "bent",
        is_at_most=True,
    ),
    Measure(
        "constructed",
        "cities of its province that have the same rate",
        COUNT,
        """
        select one.observation_id,
        beside.n_alike as measured,
        greatest(limits.constructed_cities, ceil(limits.constructed_share * beside.n_cities)) as
        threshold,
        'of ' || beside.n_cities || ' cities' || case
        when measured >= threshold then '; flagged where other sources have other figures'
        else '' end as note
        from int_values_series as one
        {{ limits }} and limits.constructed_cities is not null
        cross join lateral (select count(*) as n_cities, count(*) filter (round(log_value, 9) =
        round(one.log_value, 9)) as n_alike from int_values_series as there where there.series_no =
        one.series_no and there.province_id = one.province_id and there."year" = one."year") as
        beside
        where one.observation_id in (select observation_id from figure)
        """,
    ),
    Measure(
        "vintage",
        "change of its distance to another source",
        LOG,
        """
        select one.observation_id,
        abs(one.gap_step) as measured,
        limits.vintage_step as threshold,
        one.other_source_id || ': so in ' || one.n_steps || ' of ' || one.n_cities ||
        ' cities of the province, ' ||
        {{ short('greatest(one.vintage_min_cities, ceil(one.vintage_share * one.n_cities))') }} ||
        ' are needed' || case
        when measured <= threshold or one.is_step then ''
        when abs(coalesce(one.gap_step_kept, one.gap_step)) <= threshold / 2 then
        '; it does not stay'
        else '; its growth is nearer to the usual one than that source' end as note
        from grouped as one
        {{ limits }}
        """,
        "int_observations_vintage_break",
        "grouped",
    ),
    Measure(
        "unsupported",
        "share of its table that is refused",
        SHARE,
        """
        select observation_id,
        n_of_table / (select count(*) from int_observations_corrected as cells where
        cells.source_id = tables.source_id and cells.indicator_id = tables.indicator_id and
        cells."year" = (select "year" from figure limit 1)) as measured,
        unsupported_share as threshold,
        case when n_figures = 1 then 'nobody else has a figure'
        when is_left then n_left || ' of ' || n_figures || ' figures of the cell are not refused'
        else 'refused itself' end as note
        from tables
        """,
        "int_observations_flagged",
        "tables",
    ),
    _of_part("city", "one.city_id = beside.city_id"),
    _of_part("table", 'one."year" = beside."year"'),
    _of_part(
        "series, outside cities and tables most of which differ,",
        "beside.is_unknown and not beside.is_apart",
        "unsupported_series_share",
    ),
    Measure(
        "stitched",
        "step where the current series passes to this source",
        LOG,
        """
        select observation_id,
        abs(step_before) as measured,
        step_at as threshold,
        'after ' || source_before as note
        from passages
        where step_before is not null
        """,
        "int_observations_stitched",
        "passages",
    ),
    Measure(
        "wrong_entity",
        "distance of product per head from that of other cities, over all years",
        LOG,
        """
        select one.observation_id,
        distances.distance as measured,
        limits.wrong_entity_per_head as threshold,
        case when measured >= threshold then case
        when true then
        'the farthest of the sources that are nearer to them differs in all years by ' ||
        coalesce({{ size('apart.least') }}, 'nothing') || ', in at least ' ||
        {{ short('limits.wrong_entity_min_years') }} || ' years ' ||
        {{ size('limits.wrong_entity_gap') }} || ' is needed' end end as note
        from int_trends_delivered as one
        inner join distances on one.source_id = distances.source_id and one.city_id =
        distances.city_id
        left join (select source_id, city_id, max(least) as least from (select source_id, city_id,
        other_source_id, min(abs(gap)) as least from int_values_compared where indicator_id =
        'gdp_nominal_cny_100m' group by all) group by all) as apart on one.source_id =
        apart.source_id and one.city_id = apart.city_id
        {{ limits }}
        where one.indicator_id = 'gdp_nominal_cny_100m'
        """,
        "int_observations_wrong_entity",
        "distances",
    ),
]
