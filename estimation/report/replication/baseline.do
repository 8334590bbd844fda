* Reproduces the coefficient of the baseline regression from panel_pair_year.dta, Stata 11 or newer, no packages.
* Run in this folder: do baseline.do
version 11
clear
set more off

* the published coefficients
insheet using "baseline.csv", comma names clear
keep if vcov == "conventional"
local n = _N
forvalues k = 1/`n' {
    local outcome`k' = outcome[`k']
    local b`k' = estimate[`k']
    local se`k' = std_error[`k']
}

use "panel_pair_year.dta", clear
egen long pair = group(city_i_id city_j_id)
xtset pair year
forvalues k = 1/`n' {
    * pair and year effects; errors clustered by pair are the contrast, not the inference
    xtreg `outcome`k'' is_treated i.year, fe vce(cluster pair)
    display "published " %12.9f `b`k'' "   here " %12.9f _b[is_treated]
    assert abs(_b[is_treated] - `b`k'') < 1e-7
}
display "The published coefficients are reproduced."
