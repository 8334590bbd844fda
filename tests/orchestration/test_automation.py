"""The sensor on the landing asks for a refresh once the files are still."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from orchestration.automation import landing_sensor


def test_the_sensor_waits_until_the_landing_is_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tidy").mkdir()
    file = tmp_path / "tidy" / "a.csv"
    file.write_text("1", encoding="utf-8")
    monkeypatch.setenv("CITYSYNC_LANDING", str(tmp_path))
    with dg.instance_for_test() as instance:

        def tick(cursor: str | None) -> tuple[int, str | None]:
            context = dg.build_sensor_context(instance=instance, cursor=cursor)
            result = landing_sensor(context)
            return int(isinstance(result, dg.RunRequest)), context.cursor

        requests, cursor = tick(None)
        assert requests == 0
        requests, cursor = tick(cursor)
        assert requests == 1
        requests, cursor = tick(cursor)
        assert requests == 0
        file.write_text("2", encoding="utf-8")
        requests, cursor = tick(cursor)
        assert requests == 0
        requests, cursor = tick(cursor)
        assert requests == 1
