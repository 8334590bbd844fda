"""Two publications compared by the hashes of their tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Comparison:
    """Two publications by the hashes of their tables, but those of `meta`, which hold the run's own
    id and time.

    Attributes
    ----------
    n_tables : int
        How many were compared.
    differing : list of str
        Tables whose hashes differ, or that one of both lacks.
    why : list of str
        What else differs: the commit, versions of packages.
    """

    n_tables: int
    differing: list[str]
    why: list[str]


def compare_manifests(first: dict[str, Any], again: dict[str, Any]) -> Comparison:
    """Compare the manifests of two publications that `open_publication` opened."""
    both = {*first["tables"], *again["tables"]}
    names = {name for name in both if not name.startswith("meta.")}
    differing = [name for name in _differing(first["tables"], again["tables"]) if name in names]
    why = []
    if first["git_commit"] != again["git_commit"]:
        why.append(
            f"it was made from commit {first['git_commit']}, this checkout is {again['git_commit']}"
        )
    packages = _differing(first["packages"], again["packages"])
    if packages:
        why.append(f"other versions of {', '.join(packages)}")
    return Comparison(len(names), differing, why)


def _differing(first: Mapping[str, Any], again: Mapping[str, Any]) -> list[str]:
    """Return the names, sorted, whose values differ."""
    return sorted(name for name in {*first, *again} if first.get(name) != again.get(name))
