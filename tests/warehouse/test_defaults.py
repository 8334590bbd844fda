"""Years and counts that SQL and Python both use are the same."""

import re

from estimation import defaults
from estimation.analyses import primary
from tests.conftest import REPO


def test_the_macros_of_sql_have_the_years_of_python():
    macros = (REPO / "warehouse/macros/settings.sql").read_text()
    written = dict(re.findall(r"macro (\w+)\(\) -%}\s*(?:{{[^}]*')?([\d.]+)", macros))
    expected = {
        "window_first_year": defaults.STUDY_FIRST_YEAR,
        "window_last_year": defaults.STUDY_LAST_YEAR,
        "tie_first_year": defaults.TIE_FIRST_YEAR,
        "tie_last_year": defaults.TIE_LAST_YEAR,
        "tie_minimum_years": defaults.TIE_MINIMUM_YEARS,
        "first_admission_year": defaults.FIRST_ADMISSION_YEAR,
        "newest_first_year": primary.FIRST_YEAR,
        "newest_base_year": primary.BASE_YEAR,
        "newest_least_share": primary.LEAST_SHARE,
    }
    assert {name: float(written[name]) for name in expected} == expected
