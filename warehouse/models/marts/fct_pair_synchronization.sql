-- grain: one row is a pair of the mart's cities in a year of the study window or of the newest
-- key: city_i_id, city_j_id, year
{{ config(tags=['pair_grain']) }}
{%- set components = series_with(measures=['all', 'cm']) %}
{%- set components_with_parts = series_with(measures=['all']) %}
{%- set components_before_admission = series_before_admission() %}
{%- set newest_components = series_of_newest_window() %}
with paired as (
    select
        city_i.city_id as city_i_id,
        city_j.city_id as city_j_id,
        city_i.{{ quoted('year') }},
        city_i.is_study_window,
        {%- for component in components %}
            {{ cm('city_i.z_' ~ component, 'city_j.z_' ~ component) }} as cm_{{ component }},
        {%- endfor %}
        {%- for names in components_before_admission.values() %}
            {{ cm('city_i.' ~ names['score'], 'city_j.' ~ names['score']) }} as {{ names['cm'] }},
        {%- endfor %}
        {%- for component in newest_components %}
            {{ cm('city_i.z_newest_' ~ component, 'city_j.z_newest_' ~ component) }} as cm_newest_{{ component }},
        {%- endfor %}
        {%- for component in components_with_parts %}
            {{ comove('city_i.z_' ~ component, 'city_j.z_' ~ component) }} as comove_{{ component }},
            {{ dispersion('city_i.z_' ~ component, 'city_j.z_' ~ component) }} as dispersion_{{ component }},
            {{ neg_abs_gap('city_i.d_' ~ component, 'city_j.d_' ~ component) }} as neg_abs_gap_{{ component }},
            {{ neg_abs_gap('city_i.deviation_' ~ component, 'city_j.deviation_' ~ component) }} as neg_abs_residual_{{ component }},
            city_i.n_years_{{ component }},
        {%- endfor %}
        city_i.u_1 * city_j.u_1 + city_i.u_2 * city_j.u_2 + city_i.u_3 * city_j.u_3 + city_i.u_4 * city_j.u_4
        + city_i.u_5 * city_j.u_5 as rolling_corr_growth_official
    from {{ ref('int_city_year_scores') }} as city_i
    inner join {{ ref('int_city_year_scores') }} as city_j
        on city_i.{{ quoted('year') }} = city_j.{{ quoted('year') }} and city_i.city_id < city_j.city_id
)

-- rows are published in the order of the columns: those of later years, where most measures are missing, lie together and take little space
-- least and greatest ignore nulls, so a missing value has to be kept missing explicitly
select
    is_study_window,
    city_i_id,
    city_j_id,
    {{ quoted('year') }},
    {%- for component in newest_components %}
        cm_newest_{{ component }},
    {%- endfor %}
    {%- for component in components %}
        cm_{{ component }},
    {%- endfor %}
    {%- for names in components_before_admission.values() %}
        {{ names['cm'] }},
    {%- endfor %}
    {%- for component in components_with_parts %}
        case
            when cm_{{ component }} is not null then {{ cm_bounded('cm_' ~ component, 'n_years_' ~ component) }}
        end as cm_bounded_{{ component }},
        cm_{{ component }} <> {{ cm_clipped('cm_' ~ component, 'n_years_' ~ component) }} as is_cm_clipped_{{ component }},
        comove_{{ component }},
        dispersion_{{ component }},
        neg_abs_gap_{{ component }},
        neg_abs_residual_{{ component }},
    {%- endfor %}
    case
        when rolling_corr_growth_official is not null then least(greatest(rolling_corr_growth_official, -1), 1)
    end as rolling_corr_growth_official,
    case
        when rolling_corr_growth_official is not null then {{ fisher_z('rolling_corr_growth_official') }}
    end as rolling_fisher_z_growth_official
from paired
