"""What the UI shows of an asset besides its data: its owner, the version of the code that made it,
and how old it may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

import dagster as dg

from orchestration.home import REPO
from warehouse.hashing import code_files, hash_named_files

# Who is asked when an asset of a group looks wrong.
OWNERS = {"estimates": ["team:analysis"], "publication": ["team:data-engineering", "team:analysis"]}
DATA_OWNERS = ["team:data-engineering"]
# Folders whose code makes the assets of a group; dbt's models carry the hash of their own SQL.
CODE = {
    "raw": ("warehouse/ingest",),
    "simulation": ("warehouse/ingest",),
    "estimates": ("estimation",),
    "publication": ("estimation/report", "warehouse/publication"),
}
# The yearbook comes once a year: a publication older than thirteen months missed one.
FRESHNESS = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(days=395), warn_window=timedelta(days=370)
)
PUBLISHED = dg.AssetKey(["publication", "published"])


def label_assets(assets: Iterable[dg.AssetsDefinition]) -> Sequence[dg.AssetsDefinition]:
    """The same assets with owners, code versions and the freshness that the publication
    promises.
    """
    versions = {group: hash_code(folders) for group, folders in CODE.items()}

    def label(spec: dg.AssetSpec) -> dg.AssetSpec:
        group = spec.group_name or ""
        labelled = spec.replace_attributes(
            owners=OWNERS.get(group, DATA_OWNERS),
            code_version=spec.code_version or versions.get(group),
        )
        return (
            labelled.replace_attributes(freshness_policy=FRESHNESS)
            if spec.key == PUBLISHED
            else labelled
        )

    return dg.map_asset_specs(label, assets)


def hash_code(places: Iterable[str]) -> str:
    """A short hash over the files of some folders of the checkout, by path and content."""
    return hash_named_files(REPO, code_files(REPO, places))[:12]
