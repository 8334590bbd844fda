"""Measure for each rule the figures of one cell, and give the threshold: queries on the models that
`replay` made, most of them on a model's own steps (`query_of`).
"""

from __future__ import annotations

from dataclasses import dataclass

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


#: How far a figure is from that of each other source.
_COMPARED = (
    "select observation_id, gap as measured, mismatch_differs as threshold, other_source_id || "
    "case when relation <> 'independent' then ' (' || relation || ')' when not is_heard then "
    "' (unknown, not heard against it)' else '' end as note from compared"
)
_LIMITS = (
    "inner join {{ ref('int_indicator_limits') }} as limits on one.indicator_id = "
    "limits.indicator_id"
)

#: How far a figure is from its own trend, for the rules on places.
_FROM_TREND = (
    "select one.observation_id, abs(one.log_value - one.expected_log) as measured, {} as threshold,"
    " null as note from {{{{ ref('int_trends_delivered') }}}} as one inner join {{{{ "
    "ref('int_indicator_limits') }}}} as limits on one.indicator_id = limits.indicator_id where "
    "limits.swap_fit is not null"
)


def _of_trend(measured: str, threshold: str, table: str, more: str = "") -> str:
    """Return a measure of a trend with its threshold, and whether other sources confirm the
    figure.
    """
    source = "{{ ref('" + table + "') }}"
    return (
        f"select one.observation_id, {measured} as measured, {threshold} as threshold, "
        "case when corroborated.is_vouched then 'other sources confirm the figure' end as note "
        f"from {source} as one {_LIMITS} left join {{{{ ref('int_values_corroborated') }}}} as "
        f"corroborated on one.observation_id = corroborated.observation_id where {measured} is not "
        f"null {more}"
    )


def _noisy(least: str, multiple: str) -> str:
    return "{{ above_noise('limits." + least + "', 'limits." + multiple + "', 'one.noise') }}"


def _of_table(kind: str) -> str:
    """Return the share of the table of a figure that matches in one way, by another source."""
    return (
        "select one.observation_id, tables.share as measured, tables.least as threshold, "
        "tables.other_source_id as note from {{ ref('int_trends_delivered') }} as one inner join ("
        'select series_no, "year", other_source_id, k, place_order, '
        "count(*) filter (where is_match) / any_value(n_table) as share, any_value("
        "limits.match_table_share) as least from checked inner join {{ ref('int_indicator_limits') "
        "}} as limits on checked.indicator_id = limits.indicator_id "
        f"where kind = '{kind}' group by all"
        ') as tables on one.series_no = tables.series_no and one."year" = tables."year"'
    )


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
        'select observation_id, "value" as measured, 0.0 as threshold, null as note from checked '
        "where must_be_positive",
        "int_observations_exact",
        "checked",
        is_at_most=True,
    ),
    Measure(
        "structure",
        "distance from the middle of the range of the catalog",
        FIGURE,
        'select observation_id, abs("value" - (min_value + max_value) / 2) as measured, '
        "(max_value - min_value) / 2 as threshold, 'range ' || min_value || ' to ' || max_value "
        "as note from checked where max_value > min_value",
        "int_observations_exact",
        "checked",
    ),
    Measure(
        "growth_range",
        "distance from the middle of the range of rates",
        FIGURE,
        'select observation_id, abs("value" - (min_value + max_value) / 2) as measured, '
        "(max_value - min_value) / 2 as threshold, 'range ' || min_value || ' to ' || max_value "
        "as note from checked where kind in ('rate', 'index') and max_value > min_value",
        "int_observations_exact",
        "checked",
    ),
    Measure(
        "index_for_growth",
        "distance from 110, the middle of what reads as an index (75 to 145)",
        FIGURE,
        'select observation_id, abs("value" - 110) as measured, 35.0 as threshold, null as note '
        "from checked where kind = 'rate' and canonical_unit = 'pct' and max_value < 75",
        "int_observations_exact",
        "checked",
        is_at_most=True,
    ),
    Measure(
        "growth_fraction",
        "size of the rate; a fraction is small, and 100 times it is usual",
        FIGURE,
        'select observation_id, abs("value") as measured, growth_fraction_max as threshold, '
        "case when is_table then 'most of its table are fractions' end as note from counted",
        "int_observations_exact",
        "counted",
        is_at_most=True,
    ),
    Measure(
        "current_prices",
        "distance from growth of the level at current prices, in points",
        FIGURE,
        "select observation_id, abs(rate_pct - nearest_pct) as measured, basis_equal as threshold, "
        "n_nominal || ' of ' || n_table || ' figures of its table equal it' || case when is_whole "
        "then ', so the whole table is refused' when is_basis then ', so those are refused' else "
        "'' end as note from tables where nearest_pct is not null",
        "int_observations_basis",
        "tables",
        is_at_most=True,
    ),
    Measure(
        "spike",
        "leaves its own trend and returns",
        LOG,
        _of_trend("abs(one.spike)", _noisy("spike_block", "spike_noise"), "int_trends_delivered"),
    ),
    Measure(
        "spike",
        "the same without the values that the first pass refused",
        LOG,
        _of_trend(
            "abs(one.spike)",
            _noisy("spike_quarantine", "spike_quarantine_noise"),
            "int_trends_cleaned",
        ),
    ),
    Measure(
        "spike",
        "moves alone, in parts of the distance at which another source contradicts it",
        SHARE,
        "select observation_id, spike_strength as measured, 1.0 as threshold, 'source ' || "
        "witness_source_id as note from {{ ref('int_values_corroborated') }} as one "
        "where spike_strength is not null",
    ),
    Measure(
        "series_end",
        "moves alone at an end, in parts of the distance at which another source contradicts it",
        SHARE,
        "select observation_id, end_strength as measured, 1.0 as threshold, 'source ' || "
        "witness_source_id as note from {{ ref('int_values_corroborated') }} as one "
        "where end_strength is not null",
    ),
    Measure(
        "series_end",
        "step to the nearest years, at an end of the series",
        LOG,
        "select one.observation_id, one.end_step as measured, "
        + _noisy("revision_max", "spike_noise")
        + " as threshold, null as note from trends as one "
        + _LIMITS
        + " where one.is_end and one.n_years >= limits.series_end_years",
        "int_observations_spike_left",
        "trends",
    ),
    Measure(
        "level_break",
        "step from the year before that stays",
        LOG,
        _of_trend(
            "abs(one.step_before)",
            _noisy("level_break_step", "level_break_noise"),
            "int_trends_cleaned",
            "and limits.spike_block is not null",
        ),
    ),
    Measure(
        "unit_factor",
        "leaves its own trend and returns, as a power of ten does",
        LOG,
        "select observation_id, abs(spike) as measured, greatest({{ above_noise("
        "'unit_factor_spike', 'spike_noise', 'noise') }}, spike_city_noise * city_noise) as "
        "threshold, null as note from offsets where spike is not null",
        "int_observations_unit_factor",
        "offsets",
    ),
    Measure(
        "unit_factor",
        "distance from another source, which must be a power of ten",
        LOG,
        "select one.observation_id, abs(one.gap) as measured, ln(10) - "
        "limits.unit_factor_source_within as threshold, one.other_source_id as note from "
        "{{ ref('int_values_compared') }} as one "
        + _LIMITS
        + " and limits.unit_factor_spike is not null",
    ),
    Measure(
        "stale",
        "distance from last year's figure",
        LOG,
        "select one.observation_id, abs(ln(one.value_as_delivered / earlier.value_as_delivered)) "
        "as measured, 0.0 as threshold, case when measured = 0 then 'the chance of that is ' || "
        "{{ short_number('exp(repeated.log_chance)') }} || ', of which ' || "
        "{{ short_number('limits.stale_chance') }} || ' is too little' end as note from "
        "{{ ref('int_values_figures') }} as one inner join {{ ref('int_values_figures') }} as "
        "earlier on one.series_no = earlier.series_no and one.city_id = earlier.city_id and "
        'one."year" = earlier."year" + 1 '
        + _LIMITS
        + " left join repeated on one.observation_id = repeated.observation_id "
        "where one.value_as_delivered / nullif(earlier.value_as_delivered, 0) > 0",
        "int_observations_stale",
        "repeated",
        is_at_most=True,
    ),
    Measure(
        "level_run",
        "distance from where it usually is beside another source",
        LOG,
        "select observation_id, abs(deviation) as measured, run_differs as threshold, "
        "other_source_id as note from sided",
        "int_observations_level_run",
        "sided",
    ),
    Measure(
        "level_run",
        "step away in its own series, which must return",
        LOG,
        "select observation_id, abs(step_before) as measured, step_at as threshold, null as note "
        "from spans where step_before is not null",
        "int_observations_level_run_alone",
        "spans",
    ),
    Measure(
        "identity",
        "contradiction of its row",
        LOG,
        "{% for name, formula in detected_identities().items() %}"
        "select one.observation_id, abs(ln(({{ formula['parts'] }}) / ({{ formula['whole'] }}))) "
        "as measured, limits.identity_{{ name }} as threshold, '{{ formula['sentence'] }}' as note "
        "from {{ ref('int_observations_corrected') }} as one inner join delivered_rows as cells on "
        "one.source_id = cells.source_id and one.file_name = cells.file_name and one.city_id = "
        'cells.city_id and one."year" = cells."year" and one.edition_year is not distinct from '
        "cells.edition_year inner join {{ ref('int_indicator_limits') }} as limits on "
        "limits.indicator_id = 'gdp_nominal_cny_100m' where one.indicator_id in "
        "{{ formula['indicators'] | string | replace('[', '(') | replace(']', ')') }} "
        "and measured is not null {% if not loop.last %}union all {% endif %}{% endfor %}",
        "int_observations_identity",
        "delivered_rows",
    ),
    Measure(
        "isolated_mismatch",
        "distance from another source",
        LOG,
        _COMPARED,
        "int_observations_mismatch",
        "compared",
    ),
    Measure(
        "vintage",
        "distance from another source, so in most cities of the province",
        LOG,
        _COMPARED,
        "int_observations_mismatch",
        "compared",
    ),
    Measure(
        "swap",
        "distance from another source's figure of another sector",
        LOG,
        "select here.observation_id, abs(here.log_value - there.other_log_value) as measured, "
        "here.source_equal as threshold, there.other_source_id || ' ' || there.indicator_id as "
        "note from of_sectors as here inner join of_sectors as there on here.source_id = "
        "there.source_id and here.other_source_id = there.other_source_id and here.total = "
        'there.total and here.city_id = there.city_id and here."year" = there."year" and '
        "here.indicator_id <> there.indicator_id",
        "int_observations_outvoted",
        "of_sectors",
    ),
    Measure(
        "outvoted",
        "distance of a rate from another source, of which two must agree",
        LOG,
        "select observation_id, gap as measured, veto_equal as threshold, other_source_id as note "
        "from rates where is_heard",
        "int_observations_outvoted",
        "rates",
    ),
    Measure(
        "outvoted",
        "share of its table that no other source bears out",
        SHARE,
        _of_table("apart"),
        "int_values_candidates",
        "checked",
    ),
    Measure(
        "year_offset",
        "share of its table that is another year of another source",
        SHARE,
        _of_table("year"),
        "int_values_candidates",
        "checked",
    ),
    Measure(
        "row_shift",
        "share of its table that is the figure of another row of another source",
        SHARE,
        _of_table("row"),
        "int_values_candidates",
        "checked",
    ),
    Measure(
        "row_shift",
        "distance from its own trend, before it can fit another row",
        LOG,
        _FROM_TREND.format(_noisy("row_shift_miss", "swap_noise")),
    ),
    Measure(
        "swap",
        "distance from its own trend, before it can fit another city",
        LOG,
        _FROM_TREND.format(_noisy("swap_miss", "swap_noise")),
    ),
    Measure(
        "duplicated_block",
        "years nearby in which another city has the same figure",
        COUNT,
        'select one.observation_id, count(distinct twin."year") as measured, 2 as threshold, '
        "'city ' || twin.city_id as note from {{ ref('int_values_figures') }} as one inner join "
        "{{ ref('int_values_figures') }} as here on one.series_no = here.series_no and one.city_id "
        '= here.city_id and here."year" between one."year" - 2 and one."year" + 2 inner join '
        "{{ ref('int_values_figures') }} as twin on here.series_no = twin.series_no and "
        'here."year" = twin."year" and here.value_as_delivered = twin.value_as_delivered and '
        "here.city_id <> twin.city_id group by one.observation_id, twin.city_id",
    ),
    Measure(
        "constructed",
        "distance from the middle of the years beside it, in parts of the figure",
        SHARE,
        "select observation_id, least(abs(steps_bend), abs(growth_bend)) as measured, rounding as "
        "threshold, 'of a line of several years' as note from bent where is_between",
        "int_observations_constructed",
        "bent",
        is_at_most=True,
    ),
    Measure(
        "vintage",
        "change of its distance to another source",
        LOG,
        "select one.observation_id, abs(one.gap_step) as measured, limits.vintage_step as "
        "threshold, one.other_source_id || ': so in ' || one.n_steps || ' of ' || one.n_cities || "
        "' cities of the province' as note from grouped as one " + _LIMITS,
        "int_observations_vintage_break",
        "grouped",
    ),
    Measure(
        "unsupported",
        "share of its table that is refused",
        SHARE,
        "select observation_id, n_of_table / (select count(*) from "
        "{{ ref('int_observations_corrected') }} as cells where cells.source_id = tables.source_id "
        'and cells.indicator_id = tables.indicator_id and cells."year" = (select "year" from '
        "figure limit 1)) as measured, unsupported_share as threshold, case when n_figures = 1 "
        "then 'nobody else has a figure' when is_left then n_left || ' of ' || n_figures || "
        "' figures of the cell are not refused' else 'refused itself' end as note "
        "from tables",
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
        "select observation_id, abs(step_before) as measured, step_at as threshold, 'after ' || "
        "source_before as note from passages where step_before is not null",
        "int_observations_stitched",
        "passages",
    ),
    Measure(
        "wrong_entity",
        "distance of product per head from that of other cities, over all years",
        LOG,
        "select one.observation_id, distances.distance as measured, limits.wrong_entity_per_head "
        "as threshold, null as note from {{ ref('int_trends_delivered') }} as one inner join "
        "distances on one.source_id = distances.source_id and one.city_id = distances.city_id "
        + _LIMITS
        + " where one.indicator_id = 'gdp_nominal_cny_100m'",
        "int_observations_wrong_entity",
        "distances",
    ),
]
