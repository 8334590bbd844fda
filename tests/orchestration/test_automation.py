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

        asked, cursor = [], None
        for text in ("1", "1", "1", "2", "2"):
            if file.read_text(encoding="utf-8") != text:
                file.write_text(text, encoding="utf-8")
            requests, cursor = tick(cursor)
            asked.append(requests)
    assert asked == [0, 1, 0, 0, 1]
