"""Units of the study that have not changed are not run again, and give the same bytes as if they
were; some analyses alone, and a reason for each other one.
"""

import dataclasses
import re
from pathlib import Path

import pandas as pd
import pytest

from estimation.analyses import radiation
from estimation.analyses.catalog import all_specs, every_spec
from estimation.study.run import run_study
from estimation.study.units import run_here
from orchestration.home import REPO, Home
from orchestration.reuse import fingerprint
from orchestration.reuse.fingerprint import LISTINGS
from orchestration.reuse.unit_cache import cached_units
from orchestration.stages.estimates import add_not_asked_for
from tests.estimation.study.cities import economy

FAST = {"permutations": 49, "seed": 3}
SPECS = tuple(
    spec
    for spec in all_specs()
    if spec.analysis == "baseline" and spec.outcome == "cm_growth_official"
)
FEW = [spec for spec in SPECS if spec.variant == "all_pairs"]


@pytest.fixture(scope="module")
def marts():
    return economy()[0]


def study(home: Home, marts, specs, ran: list[str]) -> dict[str, pd.DataFrame]:
    """Tables of a study through the store; `ran` gets the specs of the units that were run."""

    def counting(marts, units, on_done) -> None:
        def done(unit, rows):
            ran.extend(spec.spec_id for spec in unit.specs if unit.kind == "group")
            on_done(unit, rows)

        run_here(marts, units, done)

    specs = (*specs, radiation.SPECS[0])
    return vars(
        run_study(
            marts,
            specs,
            run_units=cached_units(home, counting, code=fingerprint.note_code()),
            **FAST,
        )
    )


def assert_same(found: dict[str, pd.DataFrame], wanted: dict[str, pd.DataFrame]) -> None:
    for name, table in wanted.items():
        pd.testing.assert_frame_equal(found[name], table, check_exact=True)


def test_only_the_spec_that_changed_is_run_and_all_rows_are_those_of_a_whole_run(
    tmp_path: Path, marts, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, ran = Home(tmp_path), []
    first = study(home, marts, SPECS, ran)
    assert set(ran) == {spec.spec_id for spec in SPECS}
    ran.clear()
    assert_same(study(home, marts, SPECS, ran), first)
    assert ran == []
    changed = [
        dataclasses.replace(spec, tie_rule="weak") if spec.variant == "gdp_tercile" else spec
        for spec in SPECS
    ]
    kept = study(home, marts, changed, ran)
    assert ran == ["baseline.cm_growth_official.gdp_tercile"]
    monkeypatch.setenv("FORCE", "1")
    assert_same(kept, study(home, marts, changed, ran))
    assert len(ran) == 1 + len(SPECS)


def apart(marts, step: float):
    """The same marts but for distances."""
    pairs = marts.pairs.assign(distance_km=marts.pairs["distance_km"] + step)
    return dataclasses.replace(marts, pairs=pairs)


def test_other_marts_run_all_and_the_last_three_are_kept(tmp_path: Path, marts) -> None:
    home, ran = Home(tmp_path), []
    states = [apart(marts, step) for step in (0, 1e-12, 2, 3)]
    for state in (*states[:3], states[0], states[3], states[0]):
        study(home, state, FEW, ran)
    assert len(ran) == 4 * len(FEW)
    assert len(list((tmp_path / "units" / "study").iterdir())) == 3
    study(home, states[1], FEW, ran)
    assert len(ran) == 5 * len(FEW), "the one that was used longest ago is gone"


def code_with(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """From here on a file of the checkout has another hash."""
    code = fingerprint.hash_code()
    assert path in code
    monkeypatch.setattr(fingerprint, "hash_code", lambda: {**code, path: "another"})


@pytest.mark.parametrize(
    ("path", "is_run_again"),
    [
        ("estimation/estimators/two_way.py", True),
        ("estimation/primary/permutation.py", True),
        ("estimation/report/site.py", False),
        ("estimation/analyses/baseline.py", False),
    ],
)
def test_units_are_run_again_when_the_code_that_estimates_changes(
    tmp_path: Path, marts, monkeypatch: pytest.MonkeyPatch, path: str, is_run_again: bool
) -> None:
    home, ran = Home(tmp_path), []
    study(home, marts, FEW, ran)
    ran.clear()
    code_with(monkeypatch, path)
    study(home, marts, FEW, ran)
    assert len(ran) == (len(FEW) if is_run_again else 0)


def test_units_of_code_that_changes_while_they_are_run_are_not_kept(
    tmp_path: Path, marts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next refresh would publish rows of the old code as rows of the new one."""

    def pulled(marts, units, on_done) -> None:
        run_here(marts, units, on_done)
        code_with(monkeypatch, "estimation/estimators/two_way.py")

    keeping = cached_units(Home(tmp_path), pulled, code=fingerprint.note_code())
    with pytest.raises(fingerprint.CodeChanged):
        run_study(marts, FEW, run_units=keeping, **FAST)
    assert not (tmp_path / "units").exists()


@pytest.mark.parametrize("content", ["", "{"])
def test_a_file_that_cannot_be_read_is_made_again(tmp_path: Path, marts, content: str) -> None:
    home, ran = Home(tmp_path), []
    wanted = study(home, marts, FEW, [])
    (path,) = (tmp_path / "units" / "study").iterdir()
    path.write_text(content, encoding="utf-8")
    assert_same(study(home, marts, FEW, ran), wanted)
    assert len(ran) == len(FEW)


def test_modules_that_only_list_specs_are_read_by_nothing_that_estimates() -> None:
    """Else a change in one of them would be missed; the catalog tells a caller which specs there
    are, and no unit reads it.
    """
    listed = {Path(path).stem for path in LISTINGS} - {"catalog"}
    assert all((REPO / path).is_file() for path in LISTINGS)
    names = rf"({'|'.join(sorted(listed))})\b"
    outside = rf"from [.a-z]*\banalyses(\.{names}| import [^)]*?\b{names})"
    inside = rf"from \.({names}| import [^)]*?\b{names})"
    for path in sorted((REPO / "estimation").rglob("*.py")):
        name = path.relative_to(REPO).as_posix()
        if name not in (*LISTINGS, *KNOWN) and not name.startswith("estimation/report/"):
            reads = inside if "/analyses/" in name else outside
            found = re.search(reads, path.read_text(encoding="utf-8"))
            assert found is None, f"{name} reads {found.group()}"


# the first takes a constant that its specs hold too; families are corrected after all units are run
KNOWN = ("estimation/analyses/radiation.py", "estimation/study/multiplicity.py")


def test_what_is_not_asked_for_is_listed_as_not_run() -> None:
    row = {"spec_id": "dynamics.y.1", "analysis": "dynamics", "reason": "needs y"}
    tables = {"not_run": pd.DataFrame([row], dtype="string"), "estimate": pd.DataFrame()}
    assert len(add_not_asked_for(tables, ())["not_run"]) == 1
    found = add_not_asked_for(tables, ("baseline", "dynamics"))["not_run"]
    others = {spec.spec_id: spec.analysis for spec in every_spec()}
    wanted = {k: v for k, v in others.items() if v not in ("baseline", "dynamics")}
    listed = dict(zip(found["spec_id"], found["analysis"], strict=True))
    assert listed == {"dynamics.y.1": "dynamics", **wanted}
    said = "not asked for: ANALYSES=baseline,dynamics leaves it out"
    assert found["reason"].unique().tolist() == ["needs y", said]
