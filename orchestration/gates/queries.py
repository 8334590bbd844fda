"""What the gates judge, as SQL: one row an indicator, year, edition, identity or coefficient. Thresholds stand in the suites."""

RAW_FILES = """
select path, source_id, n_observations, n_rejected,
    n_rejected / greatest(n_observations + n_rejected, 1) as rejected_share
from read_parquet($input_files) where status = 'taken' order by path
"""
RAW_CELLS = """
select source_id, cell_ref, raw_text, year from read_parquet($raw, union_by_name = true)
where reason is null order by source_id, file_name, sheet_name, row_no, col_no
"""
STAGED = "select city_id, value, year, indicator_id, source_id from staging.stg_raw__observations"
# Jumps are taken within a place and source from one year to the next; medians are exact, so the order of rows does not matter.
SERIES = """
with accepted as (
    select obs.*, cat.min_value, cat.max_value, cat.kind
    from staging.stg_raw__observations as obs inner join seeds.indicator_catalog as cat using (indicator_id)
),
jumps as (
    select source_id, indicator_id, edition_year,
        case when kind = 'level' and value > 0 then
            abs(ln(value) - ln(nullif(greatest(lag(value) over place, 0), 0)))
        end as jump
    from accepted window place as (partition by source_id, edition_year, file_name, city_id, indicator_id order by year)
),
jump_medians as (select source_id, indicator_id, median(jump) as median_abs_log_change from jumps group by all),
counts as (
    select source_id, indicator_id, count(*) as n_accepted,
        avg((value < min_value or value > max_value)::int) as outside_range_share
    from accepted group by all
),
rejected as (
    select source_id, indicator_id, count(*) as n_rejected from staging.stg_raw__rejections where indicator_id is not null group by all
)
select counts.*, jump_medians.median_abs_log_change,
    coalesce(n_rejected, 0) / (n_accepted + coalesce(n_rejected, 0)) as rejected_share
from counts inner join jump_medians using (source_id, indicator_id) left join rejected using (source_id, indicator_id)
order by source_id, indicator_id
"""
# A year is compared with the poorer of its two neighbours, so that a source that grows or ends is no gap; small landings are left alone.
COVERAGE = """
with city_years as (select distinct source_id, indicator_id, "year", city_id from staging.stg_raw__observations where place_level = 'city'),
years as (select source_id, indicator_id, "year", count(*) as n_cities from city_years group by all),
compared as (
    select *, least(lag(n_cities) over by_year, lead(n_cities) over by_year) as n_neighbours,
        lead("year") over by_year - lag("year") over by_year as span
    from years window by_year as (partition by source_id, indicator_id order by "year")
)
select source_id, indicator_id, "year", n_cities,
    case when span = 2 and n_neighbours >= 20 then n_cities / n_neighbours end as share_of_neighbours
from compared order by source_id, indicator_id, "year"
"""
# The yearly change of a source's levels and flows, where at least 20 cities have both years.
CHANGES = """
with positive as (
    select obs.source_id, obs.indicator_id, obs.edition_year, obs.file_name, obs.city_id, obs."year", ln(obs."value") as log_value
    from staging.stg_raw__observations as obs inner join seeds.indicator_catalog as cat using (indicator_id)
    where cat.kind in ('level', 'flow') and obs."value" > 0 and obs.place_level = 'city'
),
changes as (
    select source_id, indicator_id, "year", log_value - lag(log_value) over place as change, "year" - lag("year") over place as gap
    from positive window place as (partition by source_id, edition_year, file_name, indicator_id, city_id order by "year")
)
select source_id, indicator_id, "year", count(*) as n_changes, median(change) as median_log_change,
    avg((abs(change) > 0.5)::int) as jump_share
from changes where gap = 1 group by all having count(*) >= 20 order by source_id, indicator_id, "year"
"""
# Each identity within one source, edition, city and year; a residual is a share of the total, or per cent points of shares.
IDENTITIES = """
with wide as (
    select source_id, edition_year, city_id, "year",
        max("value") filter (where indicator_id = 'gdp_nominal_cny_100m') as gdp,
        max("value") filter (where indicator_id = 'value_added_primary_cny_100m')
        + max("value") filter (where indicator_id = 'value_added_secondary_cny_100m')
        + max("value") filter (where indicator_id = 'value_added_tertiary_cny_100m') as sectors,
        max("value") filter (where indicator_id = 'gdp_share_primary_pct')
        + max("value") filter (where indicator_id = 'gdp_share_secondary_pct')
        + max("value") filter (where indicator_id = 'gdp_share_tertiary_pct') as shares,
        max("value") filter (where indicator_id = 'gdp_per_capita_cny') as per_capita,
        coalesce(
            max("value") filter (where indicator_id = 'population_resident_10k'),
            max("value") filter (where indicator_id = 'population_registered_10k')
        ) as population,
        max("value") filter (where indicator_id = 'loans_cny_100m')
        + max("value") filter (where indicator_id = 'deposits_cny_100m') as finance,
        max("value") filter (where indicator_id = 'financial_development_delivered_ratio') as finance_ratio,
        max("value") filter (where indicator_id = 'wage_bill_cny_10k') as wage_bill,
        max("value") filter (where indicator_id = 'wage_avg_cny') * max("value") filter (where indicator_id = 'employees_avg_10k') as wages,
        max("value") filter (where indicator_id = 'gdp_real_cny_100m') as gdp_real,
        max("value") filter (where indicator_id = 'gdp_deflator_base_1') as deflator
    from staging.stg_raw__observations where place_level = 'city' group by all
),
residuals as (
    select source_id, unnest([
        {'identity': 'sectors add up to gross domestic product', 'residual': abs(sectors / nullif(gdp, 0) - 1), 'tolerance': 0.01},
        {'identity': 'sector shares add up to 100', 'residual': abs(shares - 100), 'tolerance': 0.5},
        {'identity': 'product per head times population', 'residual': abs(per_capita * population / 10000 / nullif(gdp, 0) - 1),
            'tolerance': 0.3},
        {'identity': 'loans and deposits over product', 'residual': abs(finance / nullif(gdp, 0) / nullif(finance_ratio, 0) - 1),
            'tolerance': 0.01},
        {'identity': 'average wage times employees', 'residual': abs(wages / nullif(wage_bill, 0) - 1), 'tolerance': 0.1},
        {'identity': 'real product times deflator', 'residual': abs(gdp_real * deflator / nullif(gdp, 0) - 1), 'tolerance': 0.01}
    ], recursive := true)
    from wide
)
select source_id, identity, count(residual) as n_checked,
    avg((residual > tolerance)::int) filter (where residual is not null) as failing_share,
    case when count(residual) >= 100 then avg((residual > tolerance)::int) filter (where residual is not null) end as failing_share_large
from residuals group by all having count(residual) > 0 order by source_id, identity
"""
# The newest year of an edition against that of the edition before, over the cities of both: spread of the logs and likeness of the cities.
EDITIONS = """
with positive as (
    select obs.source_id, obs.indicator_id, obs.edition_year, obs.city_id, ln(obs."value") as log_value
    from staging.stg_raw__observations as obs inner join seeds.indicator_catalog as cat using (indicator_id)
    where cat.kind in ('level', 'flow') and obs."value" > 0 and obs.edition_year is not null and obs.place_level = 'city'
    qualify obs."year" = max(obs."year") over (partition by obs.source_id, obs.indicator_id, obs.edition_year)
),
newest as (select source_id, indicator_id, edition_year, city_id, median(log_value) as log_value from positive group by all),
editions as (
    select *, lag(edition_year) over (partition by source_id, indicator_id order by edition_year) as edition_before
    from (select distinct source_id, indicator_id, edition_year from newest)
),
paired as (
    select editions.source_id, editions.indicator_id, editions.edition_year,
        list(new.log_value order by new.city_id) as new_logs, list(old.log_value order by new.city_id) as old_logs
    from editions
    inner join newest as new using (source_id, indicator_id, edition_year)
    inner join newest as old
        on editions.source_id = old.source_id and editions.indicator_id = old.indicator_id
        and editions.edition_before = old.edition_year and new.city_id = old.city_id
    group by all
),
moments as (
    select *, len(new_logs) as n_cities, list_avg(new_logs) as new_mean, list_avg(old_logs) as old_mean,
        list_stddev_pop(new_logs) as new_spread, list_stddev_pop(old_logs) as old_spread
    from paired where len(new_logs) >= 20
)
select source_id, indicator_id, edition_year, n_cities, round(new_spread / nullif(old_spread, 0), 6) as spread_ratio,
    round(list_sum(list_transform(list_zip(new_logs, old_logs), lambda pair: (pair[1] - new_mean) * (pair[2] - old_mean)))
    / nullif(n_cities * new_spread * old_spread, 0), 6) as correlation,
    list_median(list_transform(list_zip(new_logs, old_logs), lambda pair: abs(pair[1] - pair[2]))) as median_abs_difference
from moments order by source_id, indicator_id, edition_year
"""
# No clock: how many years an indicator lags behind the newest year of its landing.
FRESHNESS = """
select indicator_id, max("year") as newest_year, max(max("year")) over () - max("year") as lag_years
from staging.stg_raw__observations where place_level = 'city' group by indicator_id order by indicator_id
"""

CITY_YEAR = "select city_id, year, growth_official_pct, growth_deflated_pct from marts.fct_city_year order by all"
PAIR = "select city_i_id, city_j_id, distance_km, tie_strength, exposure from marts.fct_city_pair order by all"
# Extremes a year say all that the bounds ask, without handing over every pair.
SYNC = """
select year, max(cm_growth_official) as max_cm_growth_official, max(cm_growth_deflated) as max_cm_growth_deflated
from marts.fct_pair_synchronization group by year order by year
"""
WINDOW = """
with years as (select count(distinct year) as n_years from marts.fct_pair_synchronization where cm_growth_official is not null),
sync as (select min(cm_growth_official) as lowest, avg(cm_growth_official) as mean_cm_growth_official from marts.fct_pair_synchronization),
cities as (select count(distinct city_id) as n_cities from marts.fct_city_year),
panel as (select count(distinct city_id) as n from (
    select city_i_id as city_id from marts.fct_pair_synchronization where cm_growth_official is not null
    union select city_j_id from marts.fct_pair_synchronization where cm_growth_official is not null)),
pilots as (select count(distinct city_id) as n from (
    select city_i_id as city_id from marts.panel_pair_year where city_i_cohort_year is not null
    union select city_j_id from marts.panel_pair_year where city_j_cohort_year is not null))
select lowest - (3 - 2 * n_years) + 1e-9 as cm_minimum_above_bound, mean_cm_growth_official,
    panel.n / greatest(n_cities, 1) as share_complete_growth_official, pilots.n as n_pilots_in_sample
from years, sync, cities, panel, pilots
"""
# Small series are shown but their shares stop nothing: one flag among ten values says little.
BLOCKED = """
with shares as (
    select source_id, indicator_id, count(*) as n_values, avg((quality_flag = 'blocked')::int) as blocked_share,
        avg((quality_flag = 'quarantined')::int) as quarantined_share
    from marts.fct_indicator_observation group by all
)
select *, case when n_values >= 200 then blocked_share end as blocked_share_large from shares order by source_id, indicator_id
"""
# What is current must move as its own past does: a year in which most cities jump has got past every detector.
CURRENT_CHANGES = """
with positive as (
    select obs.indicator_id, obs.city_id, obs."year", ln(obs."value") as log_value
    from marts.fct_indicator_observation as obs inner join seeds.indicator_catalog as cat using (indicator_id)
    where cat.kind in ('level', 'flow') and obs."value" > 0 and obs.is_current and obs.place_level = 'city'
),
changes as (
    select indicator_id, "year", log_value - lag(log_value) over place as change, "year" - lag("year") over place as gap
    from positive window place as (partition by indicator_id, city_id order by "year")
)
select indicator_id, "year", count(*) as n_changes, avg((abs(change) > 1)::int) as leap_share
from changes where gap = 1 group by all having count(*) >= 30 order by indicator_id, "year"
"""
CONFLICTS = """
with conflicts as (
    select indicator_id, other_source_id as source_id, count(*) filter (where abs(relative_gap) > 0.05) as n_far
    from marts.fct_indicator_conflict group by all
),
compared as (
    select other.indicator_id, other.source_id, count(distinct (other.city_id, other."year")) as n_compared
    from marts.fct_indicator_observation as other
    inner join marts.fct_indicator_observation as chosen
        on other.city_id = chosen.city_id and other."year" = chosen."year" and other.indicator_id = chosen.indicator_id
        and other.place_level = chosen.place_level and chosen.is_current and other.source_id != chosen.source_id
    group by all
)
select indicator_id, source_id, n_compared, coalesce(n_far, 0) / n_compared as far_share
from compared left join conflicts using (indicator_id, source_id) order by indicator_id, source_id
"""

ESTIMATE = """
select *, case when outcome like 'cm%' then abs(estimate) end as abs_estimate_cm,
    n_cities * (n_cities - 1) / 2 - n_pairs as pairs_to_spare,
    n_cities - n_pilots as cities_to_spare,
    n_obs - n_pairs as rows_beyond_pairs,
    case when is_default and std_error is not null then n_pilots end as pilots_behind_error,
    case when vcov not in ('permutation') and p_value is not null and ci_low is not null and abs(p_value - 0.05) > 1e-6
        then ((p_value < 0.05) = (ci_low > 0 or ci_high < 0))::int end as interval_agrees
from estimates.estimate order by spec_id, term, cohort_year, event_time, vcov
"""
# A coefficient of fewer than 4 pilots has no default unless admissions were permuted: it stands with the placebo rank alone, or with none.
DEFAULTS = """
with coefficients as (
    select spec_id, term, cohort_year, event_time, sum(is_default::int) as n_default,
        bool_or(vcov = 'permutation') or bool_or(vcov = 'city' and std_error is not null and n_pilots >= 4) as needs_default
    from estimates.estimate group by all
)
select *, case when needs_default then n_default end as n_default_needed from coefficients order by all
"""
OUTCOMES = "select spec_id from estimates.estimate union select spec_id from estimates.not_run order by all"
# The headline is estimated on the published panel: as many rows as it holds.
HEADLINE_ROWS = """
select distinct spec_id, n_obs - (select count(*) from marts.panel_pair_year) as rows_beyond_panel
from estimates.estimate where spec_id = 'baseline.cm_growth_official.headline' order by all
"""
