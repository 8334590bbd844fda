"""The settings of runs and commands: their names, defaults, what each may be, and the check of
values from the environment or a manifest.

Stages read a setting where they need it (`setting`, `number`); those that a person can choose for a
run in the UI are fields of `RunSettings` (`resources.py`). Where a run reads and writes is in
`home.py`. Imports nothing heavy, so that a command can refuse a value before anything is loaded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from estimation.defaults import DRAWS, STUDY_FIRST_YEAR, STUDY_LAST_YEAR
from warehouse.errors import Refused


class SettingError(Refused):
    """A setting is unknown or its value makes no sense; the message names it, what was expected and
    what was found.
    """


@dataclass(frozen=True)
class Allowed:
    """What a setting may be: a text that `pattern` matches as a whole; with `bounds`, a whole
    number between them, both included. `default` is empty where leaving the setting out means none.
    """

    expected: str
    default: str = ""
    pattern: str = "[0-9]{1,13}"
    bounds: tuple[int, int] | None = None

    def accepts(self, text: str) -> bool:
        """Return whether this text is allowed."""
        if not re.fullmatch(self.pattern, text, re.ASCII):
            return False
        return self.bounds is None or self.bounds[0] <= int(text) <= self.bounds[1]


#: What `ANALYSES` may name: the analyses of `estimation.analyses.catalog`. They are listed here,
#: since a command that refuses a name should not have to load the catalog first; a test compares.
ANALYSES = (
    "alternative_outcomes",
    "baseline",
    "confounders",
    "dynamics",
    "heterogeneity",
    "leave_out",
    "matching",
    "mechanisms",
    "policy_tools",
    "primary",
    "radiation",
    "robustness",
    "specification_curve",
    "spillovers",
    "study_form",
)
YEAR = {"expected": "a year between 1900 and 2100", "bounds": (1900, 2100)}
RECORDED_SETTINGS = {
    "WINDOW_FIRST_YEAR": Allowed(default=str(STUDY_FIRST_YEAR), **YEAR),
    "WINDOW_LAST_YEAR": Allowed(default=str(STUDY_LAST_YEAR), **YEAR),
    "AS_OF_EDITION": Allowed(**YEAR),
    "AS_OF_YEAR": Allowed(**YEAR),
    "STRICT": Allowed("1 (a folder without a layout is an error) or 0", "0", "[01]"),
    "CITYSYNC_PAIR_YEAR_LIMIT": Allowed("a number of pair-years such as 10000000", "10000000"),
    "CITYSYNC_PERMUTATIONS": Allowed(
        "a number of draws between 0 and 10000000", str(DRAWS), bounds=(0, 10**7)
    ),
    "CITYSYNC_SIMULATED_CITIES": Allowed(
        "a number of cities between 0 (all) and 10000", "0", bounds=(0, 10_000)
    ),
    "PLACES": Allowed(
        "prefecture (places of the seed) or county (places of a roster that the landing brings)",
        "prefecture",
        "prefecture|county",
    ),
    "ANALYSES": Allowed(
        f"names with a comma between them, such as baseline,dynamics, of {', '.join(ANALYSES)}",
        pattern="(?:{0})(?:,(?:{0}))*".format("|".join(ANALYSES)),
    ),
    "ENGINE": Allowed("duckdb, or spark for the pair tables", "duckdb", "duckdb|spark"),
}
# They do not change what a run computes. No manifest records them, so a manifest that somebody else
# wrote cannot set an address or a number of threads here.
COMMAND_SETTINGS = {
    "KEEP": Allowed(
        "a number of publications to keep between 1 and 10000", "2", bounds=(1, 10_000)
    ),
    "CITYSYNC_RUNS": Allowed(
        "a number of runs to keep in Dagster's history between 1 and 10000",
        "20",
        bounds=(1, 10_000),
    ),
    "CITYSYNC_THREADS": Allowed("a number of threads between 1 and 1024", bounds=(1, 1024)),
    "CITYSYNC_UI_PORT": Allowed(
        "a port between 1 and 65535, such as 3000", "3000", bounds=(1, 65_535)
    ),
    "CONFIRM_SHRINK": Allowed("1 (what a publication loses is meant) or 0", "0", "[01]"),
    "FORCE": Allowed("1 (unchanged stages run, too) or 0", "0", "[01]"),
    "CITYSYNC_REPOSITORY": Allowed(
        "the address of the code, such as https://host/owner/name", pattern=r"https://[^\s\"'<>]+"
    ),
    "CITYSYNC_ADDRESS": Allowed(
        "the address of the report, such as https://host/report", pattern=r"https://[^\s\"'<>]+"
    ),
}


def setting(name: str) -> str:
    """Return a setting from the environment, or its default; empty where leaving it out means none.

    Raises
    ------
    SettingError
        If it is not what it may be.
    """
    known = {**RECORDED_SETTINGS, **COMMAND_SETTINGS}
    given = _checked(known, {name: os.environ.get(name, "")})
    return given.get(name) or known[name].default


def number(name: str) -> int:
    """Return a setting that is a whole number."""
    return int(setting(name))


def uses_spark() -> bool:
    """Return whether the pair tables are built by Spark (ENGINE=spark)."""
    return setting("ENGINE") == "spark"


def is_forced() -> bool:
    """Return whether every stage and every unit of the study is computed again (FORCE=1)."""
    return setting("FORCE") == "1"


def path_of_landing(landing: str | None) -> str:
    """Return the absolute path of a landing, empty for the simulated one; raise Refused where one
    was given that is no folder.
    """
    if landing is not None and not landing.strip():
        raise Refused(
            "LANDING is empty: give the folder with the delivered files, or leave it out for the "
            "simulated landing"
        )
    path = Path(landing or "")
    if landing and not path.is_dir():
        found = "is a file" if path.exists() else "does not exist"
        raise Refused(
            f"landing {path} {found}: expected a folder with one folder per source; check the path"
        )
    return str(path.absolute()) if landing else ""


def check_settings(values: Mapping[str, str]) -> dict[str, str]:
    """Return the known settings among some variables; those of a command are checked too.

    Parameters
    ----------
    values : mapping of str to str
        Such as the environment; other names are left out.

    Returns
    -------
    dict of str to str
        Those that are set, none of them empty.

    Raises
    ------
    SettingError
        If one is not what it may be, or the window is empty.
    """
    _checked(COMMAND_SETTINGS, values)
    given = _checked(RECORDED_SETTINGS, values)
    first, last = (
        int(given.get(name) or RECORDED_SETTINGS[name].default)
        for name in ("WINDOW_FIRST_YEAR", "WINDOW_LAST_YEAR")
    )
    if first >= last:
        raise SettingError(f"WINDOW_FIRST_YEAR {first} is not before WINDOW_LAST_YEAR {last}")
    return given


def _checked(known: Mapping[str, Allowed], values: Mapping[str, str]) -> dict[str, str]:
    given = {name: values[name] for name in known if values.get(name)}
    for name, text in given.items():
        if not known[name].accepts(text):
            raise SettingError(f"{name} is {text[:80]!r}: expected {known[name].expected}")
    return given


def check_recorded(values: object) -> dict[str, str]:
    """Return the settings that a manifest records, which may have been written by anybody.

    Raises
    ------
    SettingError
        If it holds anything but known settings with values that they may have; unknown names are
        named.
    """
    if not isinstance(values, dict) or not all(isinstance(text, str) for text in values.values()):
        raise SettingError(
            f"settings are {str(values)[:80]!r}: expected names and texts, such as "
            "WINDOW_FIRST_YEAR: '2010'"
        )
    unknown = sorted(set(values) - set(RECORDED_SETTINGS))
    if unknown:
        named = ", ".join(repr(name[:80]) for name in unknown[:5])
        raise SettingError(
            f"settings hold {named}: expected none but {', '.join(RECORDED_SETTINGS)}; no other "
            "variable is taken from a manifest"
        )
    return check_settings(values)
