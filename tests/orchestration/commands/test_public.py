"""What is passed on: the public copy, whole of simulated data, else without what may not be passed
on; the replication folder, complete from simulated data, no delivered value from statistics.
"""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from orchestration.commands.public import public, write_public
from orchestration.deposit.write import write_deposit
from orchestration.home import python_version
from tests.orchestration.commands.reconstruction import places_of_pairs
from tests.orchestration.conftest import Run, head
from warehouse.errors import Refused
from warehouse.hashing import hash_tree
from warehouse.publication import redistribution
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import MANIFEST, MANIFEST_HASH, write_manifest
from warehouse.publication.untrusted import Publication, open_publication


def test_the_copy_of_simulated_data_is_whole_and_every_table_is_described(public_copy):
    whole = public_copy
    answer = "select estimate from {} where spec_id like '%official.newest'"
    with duckdb.connect(whole / "citysync.duckdb", read_only=True) as con:
        of_database = con.execute(answer.format("estimates.primary")).fetchall()
    of_file = duckdb.sql(answer.format(f"'{whole.parent}/*/parquet/estimates/primary.parquet'"))
    assert of_database and of_database == of_file.fetchall()
    assert 'id="answer"' in (whole / "report" / "index.html").read_text(encoding="utf-8")
    package = json.loads((whole / "datapackage.json").read_text(encoding="utf-8"))
    described = {resource["path"] for resource in package["resources"]}
    files = {path.relative_to(whole).as_posix() for path in whole.rglob("*.parquet")}
    assert described == {path for path in files if path.startswith("parquet/")}
    assert {"licenses", "sources", "contributors"} <= set(package)
    assert all(
        field["type"] for resource in package["resources"] for field in resource["schema"]["fields"]
    )
    # what dbt tests as relationships; which tables of the copy they lead to: test_datapackage.py
    keys = {one["name"]: one["schema"].get("foreignKeys", []) for one in package["resources"]}
    assert "city_id" in {key["fields"] for key in keys["marts.fct-city-year"]}


@pytest.fixture(scope="module")
def copy_of_six(six, tmp_path_factory):
    """A public copy of delivered files, and the publication it is made from."""
    out, published = tmp_path_factory.mktemp("six") / "o'ut", six.run.home / "published"
    assert write_public(open_publication(published), out, unmeasured=True) > 3
    return out, published.resolve()


def test_no_value_of_a_source_without_a_licence_leaves(copy_of_six, tmp_path):
    """In the database, the Parquet files, the pages and their files; what is missing is listed."""
    out, published = copy_of_six
    with duckdb.connect(published / "citysync.duckdb", read_only=True) as con:
        values = con.execute(
            "select distinct raw_text from marts.fct_indicator_observation"
        ).fetchall()
    secrets = {text for (text,) in values if len(text) > 8}
    assert len(secrets) > 20
    rows = list(csv.DictReader((out / "left_out.csv").read_text(encoding="utf-8").splitlines()))
    assert "marts.fct_city_year" in {row["table"] for row in rows}
    with duckdb.connect(out / "citysync.duckdb", read_only=True) as con:
        left = "select count(*) from marts.fct_indicator_observation"
        assert con.execute(left).fetchone() == (0,)
    for path in out.rglob("*"):
        if path.suffix in {".html", ".js", ".csv", ".json", ".md", ".txt"}:
            text = path.read_text(encoding="utf-8")
            assert not [secret for secret in secrets if secret in text], path
    with pytest.raises(Refused, match="expected no folder"):
        (tmp_path / "other").mkdir()
        (tmp_path / "other/file").touch()
        public(str(tmp_path / "other"))
    with pytest.raises(Refused, match="found none"):
        public(None)


def test_growth_that_is_left_out_is_not_said_to_be_unknown(copy_of_six):
    out, _ = copy_of_six
    for language in ("en", "zh"):
        page = (out / f"report/data/pages/cities_{language}.js").read_text(encoding="utf-8")
        assert page.count('"growth_withheld"') == 6


def test_growth_cannot_be_computed_from_the_public_copy(copy_of_six) -> None:
    """Who looks through the whole publication finds numbers of pairs, which give growth back
    (test_reconstruction.py), and none in the copy.
    """
    out, published = copy_of_six
    assert {"marts.fct_pair_synchronization", "scripts: years"} <= places_of_pairs(published)
    assert places_of_pairs(out) == set()
    rows = csv.DictReader((out / "left_out.csv").read_text(encoding="utf-8").splitlines())
    (said,) = [row for row in rows if row["table"] == "marts.fct_pair_synchronization"]
    assert said["rows left out"] == "180" and "growth of single cities" in said["why"]
    # means over years and over all pairs of a city stay
    changes = pd.read_csv(out / "report" / "data" / "city_change.csv")
    assert changes["first_half"].notna().all() and len(changes) == 6


@pytest.fixture(scope="module")
def publication_as(
    simulated: Run, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Publication]:
    """A copy of the simulated publication, opened with a manifest that says something else."""
    folder = tmp_path_factory.mktemp("copied") / "published"
    shutil.copytree((simulated.home / "published").resolve(), folder)
    for name in (MANIFEST, MANIFEST_HASH):
        (folder / name).chmod(0o644)

    def give(**changes: object) -> Publication:
        write_manifest(folder, simulated.manifest | changes)
        return open_publication(folder)

    return give


@pytest.mark.full
def test_a_copy_that_ships_years_of_pairs_is_refused(
    publication_as: Callable[..., Publication], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who puts them back among what is passed on whole hears which column gives growth away."""
    published = publication_as(is_simulated=False)
    out = tmp_path / "out"
    write_public(published, out)
    whole = redistribution.WHOLE["marts"]
    marts = {"marts": (*whole, "fct_pair_synchronization")}
    monkeypatch.setattr(redistribution, "WHOLE", redistribution.WHOLE | marts)
    before = hash_tree(out)
    with pytest.raises(PublishError, match=r"best recovery .* 0\.0.*fct_pair_synchronization"):
        write_public(published, out)
    assert hash_tree(out) == before, "the copy from before stands"


def test_a_simulated_publication_is_passed_on_whole(
    simulated: Run, publication_as: Callable[..., Publication], tmp_path: Path
) -> None:
    whole = write_deposit(publication_as(git_commit=head()), tmp_path / "store")
    assert all((whole / name).exists() for name in ("code/Makefile", "code/requirements/base.txt"))
    inputs = (whole / "inputs.csv").read_text(encoding="utf-8").splitlines()
    assert len(inputs) == 1 + len(simulated.manifest["inputs"])
    text = (whole / "README.md").read_text(encoding="utf-8")
    # the lock file has other packages for another Python, with which hashes differ
    assert simulated.manifest["run_id"] in text and f"python{python_version()}" in text
    assert (whole / "publication" / "citysync.duckdb").exists()


def test_delivered_values_are_not_passed_on(
    publication_as: Callable[..., Publication], tmp_path: Path
) -> None:
    published = publication_as(git_commit=head(), is_simulated=False)
    folder = write_deposit(published, tmp_path / "store")
    kept = {
        path.relative_to(folder / "publication").parts[:2]
        for path in (folder / "publication").rglob("*")
        if path.is_file()
    }
    assert {parts[1] for parts in kept if parts[0] == "parquet"} == {"estimates", "meta"}
    # these two show the value that changed most
    tables = {path.stem for path in (folder / "publication" / "parquet" / "meta").iterdir()}
    assert "publication_change" in tables and not tables & {"current_change", "flag_change"}
    assert "may not be passed on" in (folder / "README.md").read_text(encoding="utf-8")


def test_code_that_cannot_be_had_is_refused(
    publication_as: Callable[..., Publication], tmp_path: Path
) -> None:
    for commit in ("unknown", "0123456+changes", "0" * 40):
        with pytest.raises(Refused, match="expected"):
            write_deposit(publication_as(git_commit=commit), tmp_path / "store")
