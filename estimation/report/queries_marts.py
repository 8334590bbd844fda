"""Queries on marts: cities, zones, means of pairs, the primary test's cities, city years,
distance.
"""

from __future__ import annotations

from .query import Query

# Means over pair-years are taken on DECIMAL, so that they have the same bytes for any thread count.
MEAN = "cast(sum(cast({0} as decimal(28, 10))) / nullif(count({0}), 0) as double)"
_PATHS = (
    "cm_growth_official",
    "comove_growth_official",
    "dispersion_growth_official",
    "cm_growth_deflated",
)
# The cities of the primary test: growth in every year of its window; one admitted after the window
# is a never-treated city.
_PRIMARY_CITIES = """
with span as (select first_year, last_year from estimates.primary
    where spec_id = 'primary.cm_growth_official.newest'),
complete as (
    select city_id from marts.fct_city_year cross join span where "year" between first_year
        and last_year
    group by city_id, first_year, last_year having count(growth_official_pct) = last_year -
        first_year + 1
),
members as (
    select complete.city_id, case when treated_year <= last_year
        then treated_year end as cohort_year
    from complete cross join span inner join marts.dim_city using (city_id)
)
"""

MARTS = {
    "cities": Query(
        ("marts.dim_city", "marts.fct_city_year", "marts.panel_pair_year"),
        (
            "city_id, city_name_zh, city_name_en, province_id, province_name_zh, province_name_en, "
            "lon_deg, lat_deg, batch, is_in_sample"
        ),
        """
        with members as (select city_i_id as city_id from marts.panel_pair_year
            union select city_j_id from marts.panel_pair_year),
        known as (select distinct city_id from marts.fct_city_year)
        select city_id, city_name_zh, city_name_en, province_id, province_name_zh,
            province_name_en, lon_deg, lat_deg, batch,
            members.city_id is not null as is_in_sample
        from marts.dim_city inner join known using (city_id) left join members using (city_id)
        order by city_id
        """,
        ("city_id",),
    ),
    "primary_cities": Query(
        ("marts.dim_city", "marts.fct_city_year", "estimates.primary"),
        (
            "city_id, city_name_en, city_name_zh, province_id, province_name_en, province_name_zh, "
            "cohort_year"
        ),
        _PRIMARY_CITIES
        + """
        select city_id, city_name_en, city_name_zh, province_id, province_name_en,
            province_name_zh, cohort_year
        from members inner join marts.dim_city using (city_id)
            order by cohort_year nulls last, city_id
        """,
        ("city_id",),
    ),
    # Of each treated city of the main test: mean over years of its mean synchronization with
    # cities without a zone of other provinces, which is what the test compares.
    "zone_change": Query(
        (
            "marts.dim_city",
            "marts.fct_city_year",
            "estimates.primary",
            "marts.fct_pair_synchronization",
        ),
        "city_id, before, after",
        _PRIMARY_CITIES
        + f"""
        , sides as (
            select city_i_id as city_id, city_j_id as other_id, "year",
                cm_newest_growth_official as cm from marts.fct_pair_synchronization
            union all select city_j_id, city_i_id, "year", cm_newest_growth_official
                from marts.fct_pair_synchronization
        )
        select m.city_id,
            {MEAN.format('case when s."year" < m.cohort_year then s.cm end')} as before,
            {MEAN.format('case when s."year" >= m.cohort_year then s.cm end')} as after
        from members as m
        inner join sides as s using (city_id)
        inner join members as o on s.other_id = o.city_id and o.cohort_year is null
        inner join marts.dim_city as mine on m.city_id = mine.city_id
        inner join marts.dim_city as theirs on o.city_id = theirs.city_id
        where m.cohort_year is not null and mine.province_id != theirs.province_id
            and isfinite(s.cm)
        group by m.city_id order by m.city_id
        """,
        ("city_id",),
    ),
    "primary_cohorts": Query(
        ("marts.dim_city", "marts.fct_city_year", "estimates.primary", "marts.dim_pilot_zone"),
        "cohort_year, n_cities, n_provinces, batches, first_approval, last_approval",
        _PRIMARY_CITIES
        + """
        , zones as (
            select city_id, min(batch) as batch, min(approval_date) as approval_date
                from marts.dim_pilot_zone
            where is_whole_prefecture group by city_id
        )
        select m.cohort_year, count(*) as n_cities, count(distinct c.province_id) as n_provinces,
            case when m.cohort_year is not null then string_agg(distinct zones.batch::varchar, ', '
                order by zones.batch::varchar) end
                as batches,
            case when m.cohort_year is not null then min(zones.approval_date)::date::varchar end as
                first_approval,
            case when m.cohort_year is not null then max(zones.approval_date)::date::varchar end as
                last_approval
        from members as m inner join marts.dim_city as c using (city_id) left
            join zones using (city_id)
        group by m.cohort_year order by m.cohort_year nulls last
        """,
        ("cohort_year",),
    ),
    # How many zones there are, and how many cities a window can see admitted: what the counts of
    # pilots on the pages are part of.
    "admitted": Query(
        ("marts.dim_city", "marts.dim_pilot_zone", "estimates.primary"),
        (
            "n_zones, n_batches, n_standing, first_approval, n_whole, first_year, last_year, "
            "n_window, n_calendar_year, second_last_year, n_second"
        ),
        """
        with zones as (
            select count(*) as n_zones, count(distinct batch) as n_batches,
                count(*) filter (where revoked_date is null) as n_standing,
                min(year(approval_date)) as first_approval
            from marts.dim_pilot_zone
        ),
        spans as (
            select min(case when spec_id = 'primary.cm_growth_official.newest'
                then first_year end) as first_year,
                min(case when spec_id = 'primary.cm_growth_official.newest'
                    then last_year end) as last_year,
                min(case when spec_id = 'primary.cm_growth_official.study_window'
                    then last_year end) as second_last_year
            from estimates.primary
        ),
        cities as (
            select count(treated_year) as n_whole,
                count(case when treated_year <= last_year then 1 end) as n_window,
                count(case when treated_year_calendar_year <= second_last_year
                    then 1 end) as n_calendar_year,
                count(case when treated_year <= second_last_year then 1 end) as n_second
            from marts.dim_city cross join spans
        )
        select n_zones, n_batches, n_standing, first_approval, n_whole, first_year, last_year,
            n_window, n_calendar_year, second_last_year, n_second
        from zones cross join spans cross join cities where n_zones > 0
        """,
        (),
    ),
    # The code of a zone's place is a city's, or a province's where the zone is a whole province.
    "zones": Query(
        ("marts.dim_pilot_zone",),
        (
            "city_id, zone_name_zh, zone_name_en, batch, approval_date, revoked_date, document_no, "
            "is_whole_prefecture"
        ),
        """
        select city_id, zone_name_zh, zone_name_en, batch,
            approval_date::date::varchar as approval_date,
            revoked_date::date::varchar as revoked_date, document_no, is_whole_prefecture
        from marts.dim_pilot_zone
        order by city_id, batch, zone_name_zh
        """,
        ("city_id", "zone_name_zh"),
    ),
    # Whether the main test counts a city: the years of its window in which growth is missing, and
    # how many cities of its province have none missing.
    "city_test": Query(
        ("marts.dim_city", "marts.fct_city_year", "estimates.primary"),
        "city_id, treated_year, first_year, last_year, missing_years, n_in_province",
        """
        with span as (
            select first_year::int as first_year, last_year::int as last_year
            from estimates.primary
            where spec_id = 'primary.cm_growth_official.newest' and first_year is not null
        ),
        grid as (
            select city_id, province_id, treated_year, first_year, last_year,
                unnest(range(first_year, last_year + 1)) as "year"
            from marts.dim_city cross join span
        ),
        counted as (
            select g.city_id, g.province_id, g.treated_year, g.first_year, g.last_year,
                string_agg(g."year", ' ' order by g."year")
                    filter (where f.growth_official_pct is null) as missing_years
            from grid as g left join marts.fct_city_year as f
                on g.city_id = f.city_id and g."year" = f."year"
            group by all
        )
        select city_id, treated_year, first_year, last_year, missing_years,
            count(*) filter (where missing_years is null) over (partition by province_id)
                as n_in_province
        from counted order by city_id
        """,
        ("city_id",),
    ),
    "grown": Query(
        ("marts.fct_city_year",),
        "city_id",
        """
        select distinct city_id from marts.fct_city_year
        where growth_official_pct is not null or growth_deflated_pct is not null order by city_id
        """,
        ("city_id",),
    ),
    # years in which official growth of a city is computed from something else than before
    "growth_basis": Query(
        ("marts.fct_city_year",),
        "city_id, year, basis_before, basis",
        """
        select city_id, "year", growth_official_basis_before as basis_before,
            growth_official_basis as basis
        from marts.fct_city_year where growth_official_basis_before is not null
            order by city_id, "year"
        """,
        ("city_id", "year"),
    ),
    "literature": Query(
        ("marts.dim_literature",),
        "study_id, reference_en, reference_zh, year, outcome_en, outcome_zh, sample_en, sample_zh, "
        "method_en, method_zh, finding, shared_cities",
        """
        select study_id, reference_en, reference_zh, "year", outcome_en, outcome_zh, sample_en,
            sample_zh, method_en, method_zh, finding, shared_cities
        from marts.dim_literature order by study_no
        """,
        ("study_id",),
    ),
    "growth_median": Query(
        ("marts.fct_city_year",),
        "year, official, deflated",
        """
        select "year", median(growth_official_pct) as official,
            median(growth_deflated_pct) as deflated from marts.fct_city_year
        where growth_official_pct is not null or growth_deflated_pct is not null
            group by "year" order by "year"
        """,
        ("year",),
    ),
    "batches": Query(
        ("marts.dim_pilot_zone",),
        "batch, approval_date, n_zones, n_revoked, n_whole_prefecture, document_no",
        """
        select batch, min(approval_date)::date::varchar as approval_date, count(*) as n_zones,
            count(revoked_date) as n_revoked,
            count(*) filter (where is_whole_prefecture) as n_whole_prefecture,
                min(document_no) as document_no
        from marts.dim_pilot_zone group by batch order by batch
        """,
        ("batch",),
    ),
    "gap": Query(
        ("marts.panel_pair_year",),
        "year, one_pilot, no_pilot, gap, n_one, n_none",
        f"""
        with means as (
            select "year",
                {MEAN.format("case when cohort_year is not null then cm_growth_official end")} as
                    one_pilot,
                {MEAN.format("case when cohort_year is null then cm_growth_official end")} as
                    no_pilot,
                count(case when cohort_year is not null then cm_growth_official end) as n_one,
                count(case when cohort_year is null then cm_growth_official end) as n_none
            from marts.panel_pair_year
            where is_study_window group by "year"
        )
        select "year", one_pilot, no_pilot, one_pilot - no_pilot as gap, n_one, n_none
            from means order by "year"
        """,
        ("year",),
    ),
    # A year in which the growth of many cities comes from another source or edition than the year
    # before cannot be compared blindly.
    "breaks": Query(
        ("marts.fct_city_year",),
        "year, n_cities, n_changed, share_changed",
        """
        with growth as (
            select city_id, "year", growth_official_source_id as source_id,
                growth_official_basis as basis,
                lag(growth_official_source_id) over (partition by city_id
                    order by "year") as source_before,
                lag(growth_official_basis) over (partition by city_id
                    order by "year") as basis_before
            from marts.fct_city_year where growth_official_pct is not null
        )
        select "year", count(*) as n_cities,
            count(*) filter (where source_id is distinct from source_before
                or basis is distinct from basis_before) as n_changed,
            count(*) filter (where source_id is distinct from source_before
                or basis is distinct from basis_before) / count(*)
                as share_changed
        from growth where source_before is not null group by "year" order by "year"
        """,
        ("year",),
    ),
    "all_paths": Query(
        ("marts.fct_pair_synchronization",),
        "year, n_pairs, " + ", ".join(_PATHS),
        f"select year, count({_PATHS[0]}) as n_pairs, "
        + ", ".join(f"{MEAN.format(name)} as {name}" for name in _PATHS)
        + " from marts.fct_pair_synchronization where is_study_window group by year order by year",
        ("year",),
    ),
    "distance": Query(
        ("marts.fct_pair_synchronization", "marts.fct_city_pair"),
        "bin, distance_km, synchronization, n_pairs",
        f"""
        with pairs as (
            select city_i_id, city_j_id, {MEAN.format("cm_growth_official")} as cm
                from marts.fct_pair_synchronization where is_study_window group by all
        ),
        ranked as (
            select p.cm, d.distance_km, ntile(20) over (order by d.distance_km, city_i_id,
                city_j_id) as bin
            from pairs as p inner join marts.fct_city_pair as d using (city_i_id, city_j_id)
            where p.cm is not null and d.distance_km is not null
        )
        select bin, {MEAN.format("distance_km")} as distance_km,
            {MEAN.format("cm")} as synchronization, count(*) as n_pairs
        from ranked group by bin order by bin
        """,
        ("bin",),
    ),
    # Mean synchronization of a city with all others in the first and in the second half of the
    # study window.
    "city_change": Query(
        ("marts.fct_pair_synchronization",),
        "city_id, first_half, second_half, change",
        f"""
        with sides as (
            select city_i_id as city_id, "year", cm_growth_official as cm
                from marts.fct_pair_synchronization where is_study_window
            union all select city_j_id, "year", cm_growth_official
                from marts.fct_pair_synchronization where is_study_window
        ),
        span as (select (min("year") + max("year") + 1) // 2 as middle
            from marts.fct_pair_synchronization where is_study_window),
        means as (
            select city_id, {MEAN.format('case when "year" < middle then cm end')} as first_half,
                {MEAN.format('case when "year" >= middle then cm end')} as second_half
            from sides cross join span group by city_id
        )
        select city_id, first_half, second_half, second_half - first_half as change from means
        where first_half is not null and second_half is not null order by city_id
        """,
        ("city_id",),
    ),
    "codebook": Query(
        ("marts.dim_codebook",),
        "indicator_id, label_en, label_zh, definition_en, definition_zh, unit, first_year, "
        "last_year, n_cities, n_values, n_missing, smallest_value, largest_value, sources",
        """
        select indicator_id, label_en, label_zh, definition_en, definition_zh, unit, first_year,
            last_year, n_cities, n_values, n_missing, smallest_value, largest_value, sources
        from marts.dim_codebook order by indicator_id
        """,
        ("indicator_id",),
    ),
    "indicators": Query(
        ("marts.dim_indicator",),
        "indicator_id, label_en, label_zh, place_level, unit",
        (
            "select indicator_id, label_en, label_zh, place_level, unit from marts.dim_indicator "
            "order by indicator_id"
        ),
        ("indicator_id",),
    ),
}
