"""SQL of the figures that the first and the last gate check. Their limits are in
`expectations/suites`.

The gates after staging and after the marts read dbt models (warehouse/models/quality/gates). These
two cannot: the first runs before any dbt step and checks the raw Parquet files, the last checks
tables that Python writes after the last dbt step.
"""

from estimation.defaults import LEVEL

RAW_FILES = """
select path, source_id, n_observations, n_rejected,
    n_rejected / greatest(n_observations + n_rejected, 1) as rejected_share
from read_parquet($input_files) where status = 'taken' order by path
"""
RAW_CELLS = """
select source_id, cell_ref, raw_text, year from read_parquet($raw, union_by_name = true)
where reason is null order by source_id, file_name, sheet_name, row_no, col_no
"""
# `pairs_to_spare` is below 0 if there are more pairs than the cities can form.
# `pilots_behind_error` has a value for default standard errors only.
# `inference_withheld` is 1 if a p, an interval or an error is shown that should be withheld.
ESTIMATE = f"""
select *, case when outcome like 'cm%' then abs(estimate) end as abs_estimate_cm,
    n_cities * (n_cities - 1) / 2 - n_pairs as pairs_to_spare,
    case when is_default and std_error is not null then n_pilots end as pilots_behind_error,
    case when vcov not in ('permutation') and p_value is not null and ci_low is not null
        and abs(p_value - {LEVEL}) > 1e-6
        then ((p_value < {LEVEL}) = (ci_low > 0 or ci_high < 0))::int end as interval_agrees,
    case when p_value_withheld_reason is not null
        then (p_value is not null or ci_low is not null or ci_high is not null
            or std_error is not null)::int end as inference_withheld
from estimates.estimate order by spec_id, term, cohort_year, event_time, vcov
"""
# If a coefficient rests on too few pilots or on one province, the permutation is its default
# method. Without a permutation it has no default, and a warning gives the reason.
DEFAULTS = """
with coefficients as (
    select spec_id, term, cohort_year, event_time, sum(is_default::int) as n_default,
        bool_or(vcov = 'permutation') as needs_default
    from estimates.estimate group by all
)
select *, case when needs_default then n_default end as n_default_needed from coefficients
    order by all
"""
OUTCOMES = """
select spec_id, (spec_id in (select spec_id from estimates.estimate
    union select spec_id from estimates.not_run))::int as has_outcome
from estimates.specification order by all
"""
# The baseline regression is estimated on the published panel: as many rows as it holds.
HEADLINE_ROWS = """
select distinct spec_id,
    n_obs - (select count(*) from marts.panel_pair_year where is_study_window) as rows_beyond_panel
from estimates.estimate where spec_id = 'baseline.cm_growth_official.headline' order by all
"""
# The baseline regression by pyfixest and statsmodels (`estimation/study/second_implementation.py`).
SECOND_IMPLEMENTATION = """
select spec_id, diagnostic, value as gap from estimates.diagnostic
where diagnostic in ('pyfixest_estimate_gap', 'pyfixest_std_error_gap', 'statsmodels_estimate_gap',
    'statsmodels_std_error_gap')
order by all
"""

# Data set of the suite to its query.
OF_ESTIMATES = {
    "estimate": ESTIMATE,
    "defaults": DEFAULTS,
    "outcome_of_specs": OUTCOMES,
    "headline_rows": HEADLINE_ROWS,
    "second_implementation": SECOND_IMPLEMENTATION,
}
