-- cm = comove + dispersion, and no cm is above 1
select
    city_i_id,
    city_j_id,
    {{ quoted('year') }}
from {{ ref('fct_pair_synchronization') }}
where
    abs(cm_growth_official - comove_growth_official - dispersion_growth_official) > 1e-9 * (1 + abs(dispersion_growth_official))
    or abs(cm_growth_deflated - comove_growth_deflated - dispersion_growth_deflated) > 1e-9 * (1 + abs(dispersion_growth_deflated))
    or greatest(cm_growth_official, cm_growth_deflated, cm_hp, cm_hamilton) > 1
