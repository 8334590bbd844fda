"""Rows of the study on a published file: what cannot be found is named, and nothing of it runs."""

import pytest

from orchestration.commands.run_specs import run_specs
from tests.orchestration.conftest import end_of


@pytest.mark.parametrize(
    ("spec", "content", "said"),
    [
        ("headlin", None, "did you mean baseline.cm_growth_official.headline"),
        ("headline", None, "w.duckdb"),
        ("headline", b"no database", "w.duckdb"),
    ],
)
def test_what_it_cannot_find_is_named(capsys, tmp_path, spec, content, said):
    path = tmp_path / "w.duckdb"
    if content is not None:
        path.write_bytes(content)
    asked = (str(path), [f"baseline.cm_growth_official.{spec}"], None, None)
    assert end_of(run_specs, *asked) == 2 and said in capsys.readouterr().out
