"""The data frames each gate judges: small aggregates and the tables themselves, read from the build."""

from __future__ import annotations

import duckdb
import pandas as pd

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
BLOCKED = """
select source_id, indicator_id, avg((quality_flag = 'blocked')::int) as blocked_share
from marts.fct_indicator_observation group by all order by all
"""
ESTIMATE = """
select *, case when outcome like 'cm%' then abs(estimate) end as abs_estimate_cm from estimates.estimate
order by spec_id, term, cohort_year, event_time, vcov
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

TABLES = {
    "staging": {"observations": STAGED, "indicator_of_source": SERIES},
    "marts": {
        "fct_city_year": CITY_YEAR,
        "fct_city_pair": PAIR,
        "fct_pair_synchronization": SYNC,
        "window": WINDOW,
        "blocked": BLOCKED,
    },
    "estimates": {"estimate": ESTIMATE, "defaults": DEFAULTS, "outcome_of_specs": OUTCOMES},
}


def read_gate_frames(con: duckdb.DuckDBPyConnection, stage: str, build: str) -> dict[str, pd.DataFrame]:
    """Data set name to data frame for one stage; `raw` reads the Parquet files of `build`, the others the build database."""
    if stage == "raw":
        files = con.execute(RAW_FILES, {"input_files": f"{build}/input_file.parquet"}).df()
        cells = con.execute(RAW_CELLS, {"raw": f"{build}/raw/*.parquet"}).df()
        return {"input_files": files, "observations": cells}
    return {name: con.execute(query).df() for name, query in TABLES[stage].items()}


def read_severity(con: duckdb.DuckDBPyConnection, stage: str) -> dict[str, str]:
    """Overrides of the seed `check_severity` for one stage; empty before the seeds are loaded."""
    known = con.execute("select count(*) from duckdb_tables() where schema_name = 'seeds' and table_name = 'check_severity'").fetchone()[0]
    if not known:
        return {}
    return dict(con.execute("select check_id, severity from seeds.check_severity where stage = ?", [stage]).fetchall())
