"""The collector of comparisons: a difference fails, and what agrees is recorded once."""

import pytest

from tests.estimation.parity import RECORD, agrees, rows_of


def test_a_difference_fails_and_the_largest_is_shown(monkeypatch, tmp_path) -> None:
    record = tmp_path / "record"
    monkeypatch.setenv(RECORD, str(record))
    agrees("x", "{numpy}", [1.0, 2.0], [1.0, 2.0 + 1e-9], rel=1e-8, why="rounding")
    agrees("x", "{numpy}", {"a": 1.0}, {"a": 1.0}, rel=1e-8, why="rounding")
    with pytest.raises(AssertionError):
        agrees("x", "{numpy}", 1.0, 1.1, rel=1e-8)
    with pytest.raises(AssertionError):
        agrees("x", "{numpy}", {"a": 1.0}, {"b": 1.0}, rel=1e-8)
    (row,) = rows_of(record.read_text())
    reference, *rest = row
    assert reference.startswith("numpy 2")
    assert rest == ["x", "1e-08, relative", "5e-10", "rounding"]
