"""Turn delivered or simulated files into raw Parquet. How a file is read is in
`warehouse/ingest`.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.home import Home
from orchestration.reuse.fingerprint import hash_landing
from orchestration.run import Run
from orchestration.settings import setting
from orchestration.simulated_landing import landing_path, without_effect, write_simulated
from orchestration.stages import counterfactual
from orchestration.terminal import detail
from warehouse.ingest import landing as ingest
from warehouse.ingest.landing_report import LandingReport
from warehouse.ingest.layouts import layouts_of, load_layouts
from warehouse.whole_files import remove_any


def simulate(run: Run) -> None:
    """Write the simulated landings with and without the effect, unless files are delivered or the
    same code wrote them earlier.
    """
    if run.settings.is_simulated:
        write_simulated(run.home, run.settings.simulated_cities)


def files_of(run: Run) -> Mapping[str, str]:
    """Return the hash of each file of the landing by its path, which is computed once in a run."""
    path = landing_path(run.home, run.settings.landing)
    if not run.files and path.is_dir():
        run.files = hash_landing(path)
    return run.files


def read_source(run: Run, source_id: str) -> LandingReport:
    """Read the changed files of a source into the cache of raw Parquet and return the report.

    A simulated run reads both landings; the report is that of the one with the effect.
    """
    path = landing_path(run.home, run.settings.landing)
    raw = run.home.raw
    found = ingest.read_source(path, raw, source_id, layouts=layouts_of(path), readers=run.readers)
    if run.settings.is_simulated:
        other = without_effect(run.home)
        ingest.read_source(other, raw, source_id, layouts=load_layouts(), readers=run.readers)
    n_files = count_taken(found)
    if n_files > found.n_reused:
        n_values = int(found.files["n_observations"].sum())
        files = "1 file" if n_files == 1 else f"{n_files} files"
        detail(
            f"  {source_id}: {n_values:,} values from {files}, {found.n_reused} of them unchanged"
        )
    return found


def prepare_build(run: Run) -> LandingReport:
    """Empty the build and list the files of this landing in it; return what they hold. With
    simulated data, start building the warehouse without the effect in the background.
    """
    home = run.home
    reset_build(home)
    path = landing_path(home, run.settings.landing)
    report = ingest.read_landing(
        path,
        home.raw,
        home.build,
        layouts=layouts_of(path),
        strict=setting("STRICT") == "1",
        readers=run.readers,
    )
    if run.settings.is_simulated:
        home.counterfactual.mkdir()
        ingest.read_landing(
            without_effect(home),
            home.raw,
            home.counterfactual,
            layouts=load_layouts(),
            readers=run.readers,
        )
    run.readers.close()
    if run.settings.is_simulated:
        counterfactual.start(run)
    n_values = int(report.files["n_observations"].sum())
    # lines of the sources have counted what was read: by now every file is in the cache
    n_files = f"{count_taken(report)} of {len(report.files)} files"
    run.stage_lines.done("landing", f"{n_values:,} values from {n_files}")
    return report


def count_taken(report: LandingReport) -> int:
    """Return how many files were taken."""
    return int((report.files["status"] == "taken").sum())


def reset_build(home: Home) -> None:
    """Empty the build, which is a cache and holds only one run."""
    home.build.mkdir(parents=True, exist_ok=True)
    # its content alone: the folder may be a link to another disk
    for path in list(home.build.iterdir()):
        remove_any(path)
