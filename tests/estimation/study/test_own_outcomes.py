"""Where the weight lies, and own outcomes on marts of cities."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from estimation.analyses.own_outcomes import OUTCOMES
from estimation.analyses.primary import DECLARED, PRIMARY
from estimation.primary.fit_primary import fit_primary
from estimation.study.own_outcomes import own_outcome_rows, values_of
from estimation.study.weight import weight_rows
from estimation.study.windows import city_window
from tests.estimation.primary.economies import draw_panel
from tests.estimation.study.cities import city_marts

(SPEC,) = [spec for spec in DECLARED if spec.spec_id == PRIMARY]
SETTINGS = {"permutations": 199, "seed": 1}


def _marts(effect=0.0):
    """An economy whose zones raise exports by `effect` log points; imports begin in 2013, and in
    their last year few cities have them.
    """
    growth, years, cohort, block = draw_panel(5)
    ids = 100000 * (block + 1) + np.arange(len(cohort))
    marts = city_marts(ids, cohort, growth, years)
    rng = np.random.default_rng(10)
    treated = (cohort[:, None] > 0) & (years[None, :] >= cohort[:, None])
    level = rng.normal(size=(len(ids), 1)) + 0.1 * rng.normal(size=growth.shape)
    values = {
        "exports_cny_100m": np.exp(level + effect * treated),
        "imports_cny_100m": np.exp(level),
    }
    parts = []
    for name, wide in values.items():
        keys = {"city_id": np.repeat(ids, len(years)), "year": np.tile(years, len(ids))}
        part = pd.DataFrame({**keys, "indicator_id": name, "source_id": "a", "value": wide.ravel()})
        parts.append(part)
    imports = parts[1]
    few = (imports["year"] == years[-1]) & (imports["city_id"] % 3 > 0)
    parts[1] = imports[(imports["year"] > 2012) & ~few]
    other = parts[0].head(9).assign(source_id="b", value=1e6)
    return dataclasses.replace(marts, indicators=pd.concat([*parts, other])), cohort


def _rows(effect):
    rows = pd.DataFrame(own_outcome_rows(_marts(effect)[0], SPEC, SETTINGS))
    return rows.set_index(["comparison", "outcome"])


def test_a_planted_effect_on_exports_is_found_and_none_without_it():
    planted, nothing = _rows(0.5).loc["all_cities"], _rows(0.0).loc["all_cities"]
    assert planted.loc["exports", "is_found"]
    assert planted.loc["exports", "ci_low"] < 0.5 < planted.loc["exports", "ci_high"]
    assert not planted.loc["imports", "is_found"]
    assert not nothing["is_found"].any()
    # trade is a family of its own; exports, imports and growth are the others that exist here
    assert planted.loc["trade", "family_size"] == 1
    assert planted.loc["exports", "family_size"] == 3
    assert planted.loc["trade", "p_value_family"] == planted.loc["trade", "p_value"]
    assert (planted["p_value_family"].dropna() >= planted["p_value"].dropna()).all()
    exports = nothing.loc["exports"]
    assert 0 < exports["minimum_detectable_effect"] <= exports["minimum_detectable_family"] < 0.5
    assert "fdi_usd_1m" in planted.loc["foreign_investment", "reason"]


def test_an_outcome_is_run_on_the_years_that_it_has_and_on_one_source():
    marts, cohort = _marts()
    by_name = {outcome.name: values_of(marts, outcome) for outcome in OUTCOMES}
    assert by_name["imports"].columns.tolist() == list(range(2013, 2019))
    assert by_name["exports"].columns.tolist() == list(range(2010, 2020))
    assert by_name["exports"].to_numpy().max() < np.log(1e5)
    later = pd.DataFrame(own_outcome_rows(marts, SPEC, SETTINGS)).set_index("comparison")
    later = later.loc["not_yet_treated"].set_index("outcome")
    # nobody is admitted after this window, so a province has no city to compare with
    assert later.loc["exports", "reason"].startswith("No verdict")
    assert (cohort > 0).sum() == later.loc["exports", "n_cities"]


def test_weights_of_each_grain_sum_to_one():
    marts, cohort = _marts()
    window = city_window(marts, SPEC)
    rows = pd.DataFrame(weight_rows(marts, SPEC, window, SETTINGS))
    sums = rows.groupby("grain")["weight"].sum()
    assert sums.to_numpy() == pytest.approx(np.ones(len(sums)))
    assert set(rows["grain"]) == {
        *("years_since_admission", "calendar_year", "batch", "province", "ages", "periods")
    }
    ages = rows[rows["grain"] == "ages"].set_index("name")
    assert ages["p_value"].nunique() == 1
    effect = fit_primary(window.growth, window.years, window.cohort, window.block, permutations=20)
    assert ages["estimate"].min() < effect.estimate < ages["estimate"].max()
    # no year of this window lies in the pandemic
    periods = rows[rows["grain"] == "periods"]
    assert periods["name"].tolist() == ["before_the_pandemic"]
    assert periods["reason"].str.startswith("Not run").all()
    assert (cohort > 0).sum() == rows[rows["grain"] == "batch"]["n_pilots"].sum()
