"""Pseudo-admissions of the benchmark of the cycle's lead: as many a province and cohort as on the
list, and a lead that is found.
"""

import numpy as np

from benchmarks.primary_test.cycle_lead import pseudo_marts
from estimation.analyses.radiation import LEAD_SPECS
from estimation.study.radiation import run_radiation
from tests.estimation.study.test_cycle_lead import economy

WINDOW = (2010, 2019)


def test_admissions_are_dealt_within_provinces_and_an_imposed_lead_is_found():
    marts = economy(0.0)
    provinces = np.unique(marts.cities["province_id"])
    counts = {(int(province), 2014): 2 for province in provinces}
    spec = next(spec for spec in LEAD_SPECS if spec.spec_id == "radiation.lead_growth_official.all")
    found = {}
    for lead in (0.0, 2.0):
        drawn = pseudo_marts(marts, counts, WINDOW, lead, np.random.default_rng(3))
        admitted = drawn.cities["treated_year"].notna()
        assert drawn.cities.loc[admitted, "province_id"].value_counts().tolist() == [2] * len(
            provinces
        )
        changed = (
            drawn.city_years["growth_official_pct"] - marts.city_years["growth_official_pct"]
        ).abs() > 1e-12
        assert set(drawn.city_years.loc[changed, "city_id"]) <= set(
            drawn.cities.loc[admitted, "city_id"]
        )
        assert changed.any() == (lead > 0) and not changed[drawn.city_years["year"] < 2014].any()
        (found[lead],) = run_radiation(drawn, [spec], permutations=99)["estimate"]
    assert found[2.0]["estimate"] > found[0.0]["estimate"] + 0.1
    assert found[2.0]["p_value"] < 0.05
