-- grain: one row is one rate of growth that equals the growth of its level at current prices: in a table of which most do so (blocked), or
-- alone, where another source has another rate (warned)
-- key: observation_id
with limits as (
    select * from {{ ref('int_indicator_limits') }}
    where growth_of is not null and basis_equal is not null
),

observations as (
    select * from {{ ref('int_observations_corrected') }}
    where place_level = 'city'
),

-- from one year to the next within one file: the step between two files may be one of vintages
nominal as (
    select
        indicator_id,
        city_id,
        "year",
        100 * ("value" / lag("value") over city_years - 1) as growth_pct
    from observations
    where "value" > 0 and indicator_id in (select limits.growth_of from limits)
    window city_years as (partition by source_id, edition_year, file_name, indicator_id, city_id order by "year")
    qualify lag("year") over city_years = "year" - 1
),

rates as (
    select
        observations.observation_id,
        observations.source_id,
        observations.edition_year,
        observations.indicator_id,
        observations.city_id,
        observations."year",
        observations."value",
        coalesce(limits.same_as, limits.indicator_id) as quantity_id,
        limits.growth_of,
        limits.basis_cells,
        limits.basis_share,
        limits.basis_equal,
        limits.basis_whole,
        limits.source_differs,
        100 * ({{ factor_of('observations."value"', 'observations.unit') }} - 1) as rate_pct,
        length(rtrim(split_part(cast(round(observations.value_delivered, 6) as varchar), '.', 2), '0')) >= 2 as is_fine
    from observations
    inner join limits on observations.indicator_id = limits.indicator_id
),

compared as (
    select
        rates.*,
        nearest.growth_pct,
        abs(rates.rate_pct - nearest.growth_pct) <= rates.basis_equal as is_nominal
    from rates
    left join lateral (
        select arg_min(nominal.growth_pct, abs(rates.rate_pct - nominal.growth_pct)) as growth_pct
        from nominal
        where rates.growth_of = nominal.indicator_id and rates.city_id = nominal.city_id and rates."year" = nominal."year"
    ) as nearest on true
),

-- prices hardly move in some years, so one rate of few decimals equals growth at current prices by chance; half of those with two do not
tables as (
    select
        *,
        count(growth_pct) over same_table as n_table,
        count(*) filter (where is_nominal) over same_table as n_nominal,
        count(*) filter (where is_fine and growth_pct is not null) over same_table as n_fine,
        n_fine >= basis_cells and count(*) filter (where is_fine and is_nominal) over same_table >= basis_share * n_fine as is_basis,
        is_basis and n_nominal >= basis_whole * n_table as is_whole
    from compared
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
    case when tables.is_whole or tables.is_basis then 'blocked' else 'warned' end as grade,
    'expected growth at constant prices, found ' || {{ short_number('tables."value"') }}
    || coalesce('; growth at current prices is ' || {{ short_number('tables.growth_pct') }}, '')
    || case
        when tables.is_basis then '; so in ' || tables.n_nominal || ' of ' || tables.n_table || ' figures of its table'
        else '; another source has another rate'
    end as detail
from tables
left join contradicted on tables.observation_id = contradicted.observation_id
where
    tables.is_whole
    or (tables.is_basis and tables.is_nominal)
    or (tables.is_fine and tables.is_nominal and contradicted.observation_id is not null)
