-- grain: one row is a city, year, series and window, for cities with the series in every year of the window
-- key: city_id, year, series, time_window
select
    city_id,
    {{ quoted('year') }},
    component as series,
    time_window,
    z,
    mean_d as mean,
    sd_d as sd,
    n_years
from {{ ref('int_city_scores') }}
