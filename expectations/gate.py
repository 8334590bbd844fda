"""The gate after a stage: check data frames by a suite with Great Expectations, keep the results as
rows and as Data Docs pages.

It imports great_expectations inside the functions, since that takes seconds.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from expectations.rules import Rule

if TYPE_CHECKING:
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.data_context import AbstractDataContext

RESULT_COLUMNS = {
    "stage": "string",
    "check_id": "string",
    "dataset": "string",
    "expectation": "string",
    "column_name": "string",
    "success": "boolean",
    "severity": "string",
    "observed": "string",
    "unexpected_count": "Int64",
    "sample_rows": "string",
    "why": "string",
}
ROW_COLUMNS = {
    "stage": "string",
    "check_id": "string",
    "nth": "Int64",
    "failing_row": "string",
    "failing_value": "string",
}
SAMPLE_SIZE = 5
# What Great Expectations calls our severities, for whoever opens the stored suites with it.
GX_SEVERITY = {"stop": "critical", "warn": "warning"}
# What its site builder takes in the place of its own classes.
OURS = "expectations.offline_docs"
VIEW = {"module_name": OURS, "class_name": "OfflinePage"}
TABLE = {"module_name": OURS, "class_name": "TableWithMeaning"}
SECTIONS = {
    "expectations": {"view": VIEW},
    "validations": {
        "view": VIEW,
        "renderer": {
            "module_name": OURS,
            "class_name": "PageOfResult",
            "column_section_renderer": {
                "class_name": "ValidationResultsColumnSectionRenderer",
                "table_renderer": TABLE,
            },
        },
    },
}
# Folder of the checked frames, inside that of the context.
FRAMES = "frames"
# Columns that name a row to a person, where a data set has them.
ROW_NAMES = (
    "path",
    "table_name",
    "column",
    "part",
    "source_id",
    "edition_year",
    "file_name",
    "indicator_id",
    "label",
    "identity",
    "reason",
    "city_id",
    "city_i_id",
    "city_j_id",
    "year",
    "spec_id",
    "term",
    "event_time",
    "vcov",
)


@dataclass(frozen=True)
class GateResult:
    """Outcome of one gate.

    `results` has one row per expectation (columns of RESULT_COLUMNS), `rows` one per failing row of
    a failed expectation, the worst first (ROW_COLUMNS); `passed` is False when an expectation of
    severity `stop` failed.
    """

    results: pd.DataFrame
    rows: pd.DataFrame = field(default_factory=lambda: _typed([], ROW_COLUMNS))

    def failed(self, severity: str) -> pd.DataFrame:
        """Return rows of failed expectations: those of `stop` stop the run, those of `warn` are
        only shown.
        """
        return self.results[~self.results["success"] & (self.results["severity"] == severity)]

    @property
    def passed(self) -> bool:
        """Whether no expectation of severity stop failed."""
        return self.failed("stop").empty

    def sentences(self, without: Collection[str] = ()) -> list[str]:
        """Return a line for each failed expectation but some, stops first: what was found, and why
        it matters.
        """
        lines = []
        for row in pd.concat([self.failed("stop"), self.failed("warn")]).itertuples():
            if row.check_id in without:
                continue
            shown = f" ({row.sample_rows})" if row.sample_rows else ""
            column = f".{row.column_name}" if pd.notna(row.column_name) else ""
            lines.append(
                f"{row.severity}: {row.check_id} ({row.dataset}{column}): found "
                f"{row.observed}{shown}. {row.why}"
            )
        return lines


def run_gate(
    stage: str,
    rules: Sequence[Rule],
    frames: Mapping[str, pd.DataFrame],
    work_dir: Path,
    docs_dir: Path,
    severity: Mapping[str, str] | None = None,
    run_name: str | None = None,
) -> GateResult:
    """Check `frames` by `rules`.

    Parameters
    ----------
    stage : raw, staging, marts or estimates.
    rules : the suite; a rule on a column without any value is left out (a landing need not be
    complete).
    frames : data set name to data frame; integer row labels name the failing rows.
    work_dir, docs_dir : folders for the context's own files, the frames among them, and for the
    Data Docs pages.
    severity : overrides by check_id, from the seed `check_severity`.
    run_name : under which Great Expectations keeps the results.

    Returns
    -------
    GateResult
        `results` sorted by stage, dataset and check_id.

    Raises
    ------
    ValueError
        If an override names a severity other than warn or stop, or if a rule checks a data set
        that is not among `frames` or a column that its data set lacks.
    """
    rules = [
        replace(rule, severity=_severity(rule, severity or {}))
        for rule in rules
        if _applies(rule, frames, stage)
    ]
    if not rules:
        return GateResult(_typed([], RESULT_COLUMNS))
    context = _open_context(work_dir, docs_dir)
    rows: list[dict[str, Any]] = []
    failing: list[dict[str, Any]] = []
    pages: list[Any] = []
    for dataset in dict.fromkeys(rule.dataset for rule in rules):
        suite = [rule for rule in rules if rule.dataset == dataset]
        frame = frames[dataset].reset_index(drop=True)
        results, identifiers = _validate(context, f"{stage}.{dataset}", suite, frame, run_name)
        for result in results:
            failed = failing_rows(stage, result)
            failing += failed
            rows.append(as_row(stage, dataset, failed, result))
        pages += identifiers
    # once per stage: every call compiles all page templates anew
    context.build_data_docs(site_names=["data_docs"], resource_identifiers=pages)
    # fonts and pictures of pages that are replaced (expectations/offline_docs.py)
    shutil.rmtree(docs_dir / "static")
    results = _typed(rows, RESULT_COLUMNS).sort_values(
        ["stage", "dataset", "check_id"], ignore_index=True
    )
    worst_first = _typed(failing, ROW_COLUMNS).sort_values(
        ["stage", "check_id", "nth"], ignore_index=True
    )
    return GateResult(results, worst_first)


def _severity(rule: Rule, overrides: Mapping[str, str]) -> Any:
    word = overrides.get(rule.check_id, rule.severity)
    if word not in ("warn", "stop"):
        raise ValueError(
            f"seed check_severity: {rule.check_id} has severity {word!r}; expected warn or stop"
        )
    return word


def _applies(rule: Rule, frames: Mapping[str, pd.DataFrame], stage: str) -> bool:
    """Return whether a run delivered something for a rule to check.

    Every data set has all its columns in every run, so an absent one is a mistake in the rule.
    """
    where = f"rule {rule.check_id} of the gate {stage}"
    if rule.dataset not in frames:
        raise ValueError(
            f"{where}: expected one of the data sets {', '.join(frames)}; found {rule.dataset}"
        )
    frame = frames[rule.dataset]
    needed = [rule.kwargs[key] for key in ("column", "column_A", "column_B") if key in rule.kwargs]
    for column in needed:
        if column not in frame.columns:
            raise ValueError(
                f"{where}: data set {rule.dataset} has no column {column}; it has "
                f"{', '.join(frame.columns)}"
            )
    if rule.expectation.endswith("not_be_null"):
        return True
    return all(frame[column].notna().any() for column in needed)


def _open_context(work_dir: Path, docs_dir: Path) -> AbstractDataContext:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context = gx.get_context(mode="file", project_root_dir=str(work_dir))
    (Path(context.root_directory) / FRAMES).mkdir(exist_ok=True)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    # from the folder of the context, so that a copied home writes its own pages
    place = os.path.relpath(docs_dir, context.root_directory)
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": place}
    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "site_section_builders": SECTIONS,
        "site_index_builder": {"module_name": OURS, "class_name": "IndexOfChecks"},
        "store_backend": store,
    }
    # theirs, and ours of a folder that may have been moved
    for old in list(context.get_site_names()):
        context.delete_data_docs_site(old)
    context.add_data_docs_site("data_docs", site)
    return context


def _validate(
    context: AbstractDataContext,
    name: str,
    suite: Sequence[Rule],
    frame: pd.DataFrame,
    run_name: str | None,
) -> tuple[list[ExpectationValidationResult], list[Any]]:
    """Return results of one data set, and the identifiers of its pages. Frame, suite and checkpoint
    are kept, so that `context.checkpoints.get(name).run()` checks the frame again.
    """
    import great_expectations as gx
    from great_expectations.checkpoint import UpdateDataDocsAction
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
    )
    from great_expectations.expectations.registry import get_expectation_impl

    frame.to_parquet(frame_path(context, name))
    expectations = [
        get_expectation_impl(rule.expectation)(
            **rule.kwargs,
            severity=GX_SEVERITY[rule.severity],
            meta={"check_id": rule.check_id},
            notes=rule.why,
        )
        for rule in suite
    ]
    gx_suite = context.suites.add_or_update(gx.ExpectationSuite(name, expectations=expectations))
    definition = context.validation_definitions.add_or_update(
        gx.ValidationDefinition(name=name, data=_batch_of(context, name), suite=gx_suite)
    )
    # without names, pages number failing rows by their position in the frame
    names = [column for column in ROW_NAMES if column in frame.columns] or list(frame.columns)
    result_format = {"result_format": "COMPLETE", "unexpected_index_column_names": names}
    checkpoint = context.checkpoints.add_or_update(
        gx.Checkpoint(name=name, validation_definitions=[definition], result_format=result_format)
    )
    outcome = checkpoint.run(run_id=RunIdentifier(run_name=run_name))
    # by hand a checkpoint writes its page at once; here all pages of a stage are written together
    checkpoint.actions.append(UpdateDataDocsAction(name="data_docs", site_names=["data_docs"]))
    checkpoint.save()
    results = list(chain.from_iterable(found.results for found in outcome.run_results.values()))
    return results, [*outcome.run_results, ExpectationSuiteIdentifier(name)]


def frame_path(context: AbstractDataContext, name: str) -> Path:
    """Where the frame of a suite is kept: what its checkpoint reads."""
    return Path(context.root_directory) / FRAMES / f"{name}.parquet"


def _batch_of(context: AbstractDataContext, name: str) -> Any:
    """Return the whole kept frame of a suite."""
    source = context.data_sources.add_or_update_pandas(name)
    asset = source.add_parquet_asset("frame", path=frame_path(context, name))
    return asset.add_batch_definition_whole_dataframe("whole")


def check_id(config: Any) -> str:
    """Return our name of an expectation; of one that somebody added to a kept suite, its type."""
    return (config.meta or {}).get("check_id", config.type)


def severity_of(config: Any) -> str:
    """Return our word for Great Expectations' severity of an expectation."""
    return "stop" if config.severity == GX_SEVERITY["stop"] else "warn"


def meaning_of(config: Any) -> str:
    """Return what a failure means; Great Expectations takes notes as a text or as a list."""
    notes = config.notes or ""
    return notes if isinstance(notes, str) else " ".join(notes)


def as_row(
    stage: str, dataset: str, failed: list[dict[str, Any]], result: ExpectationValidationResult
) -> dict[str, Any]:
    config, found = result.expectation_config, result.result
    observed = found.get(
        "observed_value",
        f"{found.get('unexpected_count', 0)} of {found.get('element_count', 0)} rows outside",
    )
    column = config.kwargs.get("column") or config.kwargs.get("column_A")
    return {
        "stage": stage,
        "check_id": check_id(config),
        "dataset": dataset,
        "expectation": config.type,
        "column_name": column,
        "success": bool(result.success),
        "severity": severity_of(config),
        "observed": _error(result) or str(observed),
        "unexpected_count": found.get("unexpected_count"),
        "sample_rows": "; ".join(
            f"{row['failing_row']} {row['failing_value']}".strip() for row in failed[:SAMPLE_SIZE]
        ),
        "why": meaning_of(config),
    }


def failing_rows(stage: str, result: ExpectationValidationResult) -> list[dict[str, Any]]:
    """Return every failing row of a failed expectation: what names it, and the value; of a range
    the row furthest outside comes first.
    """
    config, found = result.expectation_config, result.result
    listed = [] if result.success else found.get("unexpected_index_list") or []
    # a build of an earlier version numbered its rows instead of naming them
    failed = [row for row in listed if isinstance(row, dict)]
    column = config.kwargs.get("column") or config.kwargs.get("column_A")
    low, high = config.kwargs.get("min_value"), config.kwargs.get("max_value")

    def outside(row: dict[str, Any]) -> float:
        below = 0 if low is None else low - row[column]
        above = 0 if high is None else row[column] - high
        return max(below, above)

    if column and (low is not None or high is not None):
        failed = sorted(failed, key=outside, reverse=True)
    check, rows = check_id(config), []
    for nth, row in enumerate(failed, start=1):
        names = [name for name in ROW_NAMES if name != column and name in row]
        filled = [name for name in names if pd.notna(row[name]) and row[name] != ""]
        value = f"{column}={row[column]}" if pd.notna(row.get(column)) else ""
        rows.append(
            {
                "stage": stage,
                "check_id": check,
                "nth": nth,
                "failing_row": " ".join(f"{name}={row[name]}" for name in filled),
                "failing_value": value,
            }
        )
    return rows


def _error(result: ExpectationValidationResult) -> str | None:
    """Message of an expectation that could not be computed; Great Expectations nests it by metric
    in some cases.
    """
    info = result.exception_info
    nested = (
        [info]
        if "exception_message" in info
        else [item for item in info.values() if isinstance(item, dict)]
    )
    return next(
        (item["exception_message"] for item in nested if item.get("exception_message")), None
    )


def _typed(rows: list[dict[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)
