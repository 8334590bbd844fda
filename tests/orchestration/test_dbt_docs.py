"""dbt's documentation of a build."""

from pathlib import Path

import pytest

from orchestration import dbt_docs
from orchestration.dbt_runner import Dbt
from orchestration.home import Home


def test_it_replaces_what_an_earlier_run_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, written = Home(tmp_path), []
    manifest = tmp_path / "parsed" / "manifest.json"
    for folder in (home.build, manifest.parent):
        folder.mkdir()
    manifest.write_text("{}", encoding="utf-8")

    def generate(_: Dbt, arguments: list[str], *, build: Path) -> None:
        written.append(build)
        for name in dbt_docs.FILES:
            Path(arguments[-1], name).write_text(str(len(written)), encoding="utf-8")

    monkeypatch.setattr(dbt_docs, "ensure_manifest", lambda _: manifest)
    monkeypatch.setattr(Dbt, "invoke", generate)
    folder = home.build / dbt_docs.DBT_DOCS
    for expected in ("1", "2"):
        dbt_docs.write_dbt_docs(Dbt(home), folder)
        assert (folder / "index.html").read_text(encoding="utf-8") == expected
