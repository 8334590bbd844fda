"""Settings are a list with bounds; what a manifest says besides them is refused by name."""

from collections.abc import Callable

import pytest

from estimation.analyses.catalog import every_spec
from orchestration.settings import (
    ANALYSES,
    RECORDED_SETTINGS,
    SettingError,
    check_recorded,
    check_settings,
)


def test_known_settings_are_taken_and_others_left_alone() -> None:
    values = {"WINDOW_FIRST_YEAR": "2012", "AS_OF_EDITION": "", "PATH": "/bin", "STRICT": "1"}
    assert check_settings(values) == {"WINDOW_FIRST_YEAR": "2012", "STRICT": "1"}
    assert check_recorded({"CITYSYNC_PERMUTATIONS": "199"}) == {"CITYSYNC_PERMUTATIONS": "199"}
    assert check_settings({"ANALYSES": "baseline,dynamics"}) == {"ANALYSES": "baseline,dynamics"}
    assert list(ANALYSES) == sorted({spec.analysis for spec in every_spec()})


@pytest.mark.parametrize("name", RECORDED_SETTINGS)
@pytest.mark.parametrize(
    "text",
    [
        "-1",
        "1e3",
        "9" * 400,
        "２０１２",
        "²",
        " 2012",
        "2012\n",
        "twenty",
        "0x10",
        "1;import os",
        "'",
        "\x1b[2J",
    ],
)
def test_a_value_out_of_bounds_is_refused_with_its_name(name: str, text: str) -> None:
    with pytest.raises(SettingError, match=f"{name} is .*expected ") as found:
        check_settings({name: text})
    assert "\x1b" not in str(found.value) and len(str(found.value)) < 400


OTHERS = "expected none but WINDOW_FIRST_YEAR"
#: What a manifest or an environment may not hold: how it is checked, and what is said.
REFUSED = [
    *(
        (check_recorded, {"STRICT": "1", name: "1"}, OTHERS)
        for name in ("PYTHONPATH", "LD_PRELOAD", "CITYSYNC_HOME", "strict", "A=B")
    ),
    *(
        (check_recorded, values, "expected names and texts")
        for values in (None, "STRICT=1", {"STRICT": 1}, {"STRICT": ["1"]})
    ),
    (check_settings, {"KEEP": "0"}, "KEEP is '0': expected "),
    (check_settings, {"FORCE": "yes"}, "FORCE is 'yes': expected 1 "),
    (
        check_settings,
        {"WINDOW_FIRST_YEAR": "2015", "WINDOW_LAST_YEAR": "2015"},
        "FIRST_YEAR 2015 is not before WINDOW_LAST_YEAR 2015",
    ),
    # a setting of a command is never taken from a manifest
    (
        check_recorded,
        {"ENGINE": "spark", "SPARK_MASTER": "spark://elsewhere:7077"},
        "SPARK_MASTER",
    ),
]


@pytest.mark.parametrize(("check", "values", "said"), REFUSED)
def test_what_is_no_setting_is_refused(
    check: Callable[[object], dict], values: object, said: str
) -> None:
    with pytest.raises(SettingError, match=said):
        check(values)
