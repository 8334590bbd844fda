"""Assembly: all assets, gates, the job, its schedule and sensor. Holds nothing else."""

from __future__ import annotations

import warnings

import dagster as dg

from orchestration.assets import estimation, landing, publication, warehouse
from orchestration.gates.asset_checks import build_gate
from orchestration.home import Home, set_tool_environment
from orchestration.refresh_job import landing_sensor, refresh_job, yearly_refresh
from orchestration.resources import RunSettings, run_of_ui
from orchestration.run import Run

# Owners of the assets that dbt does not build; dbt's groups own the others.
OWNERS = {"estimates": ["team:synchronization"], "publication": ["team:synchronization"]}
DATA_OWNERS = ["team:statistics"]


def load_definitions(run: Run | None = None) -> dg.Definitions:
    """Return everything that Dagster shows; parse the dbt project if its files changed.

    Parameters
    ----------
    run : Run, optional
        What a refresh at the terminal hands from stage to stage. It is bound to the assets here,
        because Dagster takes no other resources when it runs only selected assets of a job.
    """
    warnings.filterwarnings(
        "ignore", category=dg.BetaWarning
    )  # every server of the UI would print it once per source
    home = Home.from_environment()
    set_tool_environment(home)
    staging, marts = warehouse.build_dbt_assets(home)
    mart_keys = _keys_of(marts, "marts")
    raw = landing.build_landing_assets()
    study = estimation.build_study_asset(mart_keys, landing.COUNTERFACTUAL)
    estimates = {key.path[-1]: key for key in estimation.KEYS}
    gates = [
        build_gate("raw", landing.OBSERVATIONS, [landing.INPUT_FILES]),
        build_gate(
            "staging",
            dg.AssetKey(["intermediate", "int_raw_observations"]),
            _keys_of(staging, warehouse.GATES),
        ),
        build_gate(
            "marts",
            dg.AssetKey(["marts", "panel_pair_year"]),
            [*mart_keys, *_keys_of(marts, warehouse.GATES)],
        ),
        build_gate("estimates", estimates["estimate"], [estimates["not_run"], estimates["truth"]]),
    ]
    ours = [*raw, study, publication.report, publication.published]
    owned = dg.map_asset_specs(
        lambda spec: spec.replace_attributes(owners=OWNERS.get(spec.group_name, DATA_OWNERS)), ours
    )
    settings = run.settings if run else RunSettings.from_environment()
    return dg.Definitions(
        assets=[
            *(landing.delivered_files(source) for source in landing.SOURCES),
            *dg.with_source_code_references([*owned, staging, marts]),
        ],
        asset_checks=gates,
        jobs=[refresh_job],
        schedules=[yearly_refresh],
        sensors=[landing_sensor],
        resources={"settings": settings, "run": run or run_of_ui},
        executor=dg.in_process_executor,
    )


def _keys_of(step: dg.AssetsDefinition, schema: str) -> list[dg.AssetKey]:
    return sorted((key for key in step.keys if key.path[0] == schema), key=lambda key: key.path)


@dg.definitions
def defs() -> dg.Definitions:
    """Return what `citysync ui` and `dg` load."""
    return load_definitions()
