-- grain: one row is one value of int_values_matched with its flag
-- key: observation_id
select
    observation_id,
    case kind
        when 'row' then 'row_shift'
        when 'city' then 'swap'
        when 'year' then 'year_offset'
        when 'unit' then 'unit_factor'
        else 'outvoted'
    end as rule,
    grade,
    coalesce(
        'expected ' || {{ short_figure('other_log_value', 'rate_unit') }} || ' as in ' || other_source_id || ', found ',
        'expected a figure of its own, found '
    ) || {{ short_figure('log_value', 'rate_unit') }} || '; ' || case
        when block = 'table' and kind = 'year' then 'its table holds the figures of ' || ("year" + k)
        when block = 'table' and kind = 'row' then 'its table has its rows shifted by ' || abs(k)
        when block = 'table' and kind = 'unit' then 'its table is a factor of 10^' || k || ' off'
        when block = 'table' then 'its table stands apart from the others'
        when kind = 'row' then 'that source has it ' || abs(k) || ' row(s) ' || case when k > 0 then 'on' else 'back' end
        when kind = 'city' then 'that source has it for city ' || k
        when kind = 'unit' then 'it is a factor of 10^' || k || ' off'
        else 'that source has it for ' || ("year" + k)
    end || ', so in ' || n_matches
    || case when block = 'city' then ' years from ' || first_year || ' to ' || last_year else ' cities' end as detail,
    {{ figure_of('other_log_value', 'rate_unit') }} as proposed_value,
    1000000 + n_matches as strength
from {{ ref('int_values_matched') }}
