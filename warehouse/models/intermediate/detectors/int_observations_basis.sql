-- grain: one row is one rate of growth that equals the growth of its level at current prices
-- key: observation_id
with rates as (
    select
        rates.*,
        limits.* exclude (indicator_id, growth_of, same_as),
        abs(rates.rate_pct - rates.nearest_pct) <= limits.basis_equal as is_nominal
    from {{ ref('int_rates_delivered') }} as rates
    inner join {{ ref('int_indicator_limits') }} as limits on rates.indicator_id = limits.indicator_id
),

-- in years in which prices hardly move, a rate with one decimal equals growth at current prices by chance; so a table is decided by its
-- rates with two decimals (is_fine), of which not half would do so by chance
tables as (
    select
        *,
        count(nearest_pct) over same_table as n_table,
        count(*) filter (where is_nominal) over same_table as n_nominal,
        count(*) filter (where is_fine and nearest_pct is not null) over same_table as n_fine,
        n_fine >= basis_cells and count(*) filter (where is_fine and is_nominal) over same_table >= basis_share * n_fine as is_basis,
        is_basis and n_nominal >= basis_whole * n_table as is_whole
    from rates
    window same_table as (partition by source_id, edition_year, indicator_id, "year")
),

contradicted as (
    select distinct here.observation_id
    from rates as here
    inner join rates as there
        on {{ same_keys('here', 'there', ['quantity_id', 'city_id', '"year"']) }} and here.source_id <> there.source_id
    where abs(here.rate_pct - there.rate_pct) > 100 * here.source_differs
)

select
    tables.observation_id,
    'current_prices' as rule,
    case when tables.is_basis then 'blocked' else 'warned' end as grade,
    'expected growth at constant prices, found ' || {{ short_number('tables."value"') }}
    || coalesce('; growth at current prices is ' || {{ short_number('tables.nearest_pct') }}, '')
    || case
        when tables.is_basis then '; so in ' || tables.n_nominal || ' of ' || tables.n_table || ' figures of its table'
        else '; another source has another rate'
    end as detail
from tables
left join contradicted on tables.observation_id = contradicted.observation_id
where
    (tables.is_basis and (tables.is_whole or tables.is_nominal))
    or (tables.is_fine and tables.is_nominal and contradicted.observation_id is not null)
