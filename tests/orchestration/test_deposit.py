"""The replication folder: complete from simulated data, no delivered value from statistics."""

import shutil
import subprocess
from pathlib import Path

import pytest

from orchestration.deposit.write import write_deposit
from orchestration.home import REPO, python_version
from tests.orchestration.conftest import Run
from tests.warehouse.publication.test_verification import write_manifest
from warehouse.errors import Refused
from warehouse.publication.manifest import MANIFEST, MANIFEST_HASH


def head() -> str:
    return subprocess.run(
        ["git", "-C", str(REPO), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()


def publication_as(run: Run, folder: Path, **changes: object) -> Path:
    """A copy of a publication whose manifest says something else."""
    shutil.copytree((run.home / "published").resolve(), folder)
    for name in (MANIFEST, MANIFEST_HASH):
        (folder / name).chmod(0o644)
    write_manifest(folder, run.manifest | changes)
    return folder


def test_a_simulated_publication_is_passed_on_whole(simulated: Run, tmp_path: Path) -> None:
    published = publication_as(simulated, tmp_path / "published", git_commit=head())
    whole = write_deposit(published, tmp_path / "store")
    assert all((whole / name).exists() for name in ("code/Makefile", "code/requirements/base.txt"))
    inputs = (whole / "inputs.csv").read_text(encoding="utf-8").splitlines()
    assert len(inputs) == 1 + len(simulated.manifest["inputs"])
    text = (whole / "README.md").read_text(encoding="utf-8")
    # the lock file has other packages for another Python, with which hashes differ
    assert simulated.manifest["run_id"] in text and f"python{python_version()}" in text
    assert (whole / "publication" / "citysync.duckdb").exists()


def test_delivered_values_are_not_passed_on(simulated: Run, tmp_path: Path) -> None:
    folder = write_deposit(
        publication_as(simulated, tmp_path / "published", git_commit=head(), is_simulated=False),
        tmp_path / "store",
    )
    kept = {
        path.relative_to(folder / "publication").parts[:2]
        for path in (folder / "publication").rglob("*")
        if path.is_file()
    }
    assert {parts[1] for parts in kept if parts[0] == "parquet"} == {"estimates", "meta"}
    assert "may not be passed on" in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("commit", ["unknown", "0123456+changes", "0" * 40])
def test_code_that_cannot_be_had_is_refused(simulated: Run, tmp_path: Path, commit: str) -> None:
    published = publication_as(simulated, tmp_path / "published", git_commit=commit)
    with pytest.raises(Refused, match="expected"):
        write_deposit(published, tmp_path / "store")
