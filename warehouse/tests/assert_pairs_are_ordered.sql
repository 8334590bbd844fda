-- city_i_id < city_j_id in every table of pairs
select
    city_i_id,
    city_j_id
from {{ ref('fct_city_pair') }}
where city_i_id >= city_j_id
union all
select
    city_i_id,
    city_j_id
from {{ ref('fct_pair_synchronization') }}
where city_i_id >= city_j_id
union all
select
    city_i_id,
    city_j_id
from {{ ref('panel_pair_year') }}
where city_i_id >= city_j_id
