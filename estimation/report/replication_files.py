"""The sample of the baseline regression for Stata and R, with scripts that reproduce the published
coefficient from it.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import duckdb

SCRIPTS = Path(__file__).with_name("replication")
# of the sample, in types of Stata; a city that is never a pilot has a missing year
KEYS = {
    "city_i_id": "int",
    "city_j_id": "int",
    "year": "smallint",
    "province_i_id": "int",
    "province_j_id": "int",
    "is_treated": "tinyint",
    "cohort_year": "float",
    "city_i_cohort_year": "float",
    "city_j_cohort_year": "float",
}
OUTCOMES = (
    "cm_growth_official",
    "comove_growth_official",
    "dispersion_growth_official",
    "neg_abs_gap_growth_official",
    "cm_growth_deflated",
)
REPRODUCED = ("conventional", "dyadic", "province_jackknife")
BASELINE = """
select outcome, vcov, estimate, std_error from estimates.estimate
where spec_id = 'baseline.cm_growth_official.headline' and term = 'treated'
    and list_contains(?, vcov)
order by vcov
"""
# read by Stata 10 and newer and by R's own `foreign`; the date is fixed so that the same rows give
# the same bytes
STATA_VERSION, STAMP = 114, datetime(2000, 1, 1)


def write_replication(con: duckdb.DuckDBPyConnection, out_dir: Path | str) -> Path | None:
    """Write ``panel_pair_year.dta``, the published figures and the scripts into a folder.

    Parameters
    ----------
    con : duckdb connection
        To the build or to a publication.
    out_dir : folder, made if it does not exist

    Returns
    -------
    Path or None
        The folder; None, and nothing written, where the regression was not estimated.
    """
    expected = con.execute(BASELINE, [list(REPRODUCED)]).df()
    if expected.empty:
        return None
    out_dir = Path(out_dir)
    shutil.copytree(SCRIPTS, out_dir, copy_function=shutil.copyfile, dirs_exist_ok=True)
    columns = ", ".join(f'"{name}"::{kind} as "{name}"' for name, kind in KEYS.items())
    sample = con.execute(
        f"select {columns}, {', '.join(OUTCOMES)} from marts.panel_pair_year "
        "where is_study_window order by city_i_id, city_j_id, year"
    ).df()
    sample.to_stata(
        out_dir / "panel_pair_year.dta",
        write_index=False,
        version=STATA_VERSION,
        time_stamp=STAMP,
        data_label="citysync sample of the baseline regression",
    )
    expected.to_csv(out_dir / "baseline.csv", index=False, lineterminator="\n")
    return out_dir
