"""Estimates as assets: read the marts, call the study, write its tables. No algebra here."""

from collections.abc import Sequence

import dagster as dg
import pandas as pd

from orchestration.home import Home
from orchestration.kept_estimates import keep_estimates
from orchestration.resources import Settings, open_build, progress, write_frame

GROUP = "estimates"
TABLES = ("estimate", "diagnostic", "not_run", "warning", "specification")
HEADLINES = ("baseline.cm_growth_official.headline", "baseline.cm_growth_deflated.headline")


def build_study_assets(marts: Sequence[dg.AssetKey], counterfactual: dg.AssetKey) -> list[dg.AssetsDefinition]:
    """The study's tables, and the truth of each spec on simulated data."""

    @dg.multi_asset(
        name="study",
        group_name=GROUP,
        specs=[
            dg.AssetSpec([GROUP, table], deps=marts, description=description, kinds={"python", "duckdb"}, group_name=GROUP)
            for table, description in _descriptions().items()
        ],
    )
    def study(context: dg.AssetExecutionContext, settings: Settings):
        """Every spec of the analyses with all its lines of inference."""
        from estimation import study as estimation_study
        from estimation.report import figures

        home = Home.from_environment()
        with open_build(home.build, read_only=True) as con:
            frames = estimation_study.read_marts(con)
        result = estimation_study.StudyResult(
            **keep_estimates(home, frames, [settings.permutations], lambda: vars(_run_study(frames, settings.permutations)))
        )
        with open_build(home.build) as con:
            for table in TABLES:
                write_frame(con, "estimates", table, getattr(result, table))
        progress(f"specification curve: {len(result.specification)} specifications")
        progress(f"estimates: {result.estimate['spec_id'].nunique()} specs estimated, {len(result.not_run)} not run")
        for table in TABLES:
            frame = getattr(result, table)
            metadata = {"dagster/row_count": len(frame), "preview": dg.MetadataValue.md(_markdown(_headline_rows(frame)))}
            if table == "estimate":
                svg = figures.event_study_svg(result.estimate, "dynamics.cm_growth_official.headline")
                metadata["event_study"] = dg.MetadataValue.md(_inline_picture(svg) if svg else "no event study in this run")
            yield dg.MaterializeResult(asset_key=dg.AssetKey([GROUP, table]), metadata=metadata)

    @dg.asset(
        key=dg.AssetKey([GROUP, "truth"]),
        group_name=GROUP,
        deps=[*marts, counterfactual],
        kinds={"python", "duckdb"},
        description="The truth of a spec on simulated data: its own estimator on the difference of the outcomes "
        "with and without the effect. Empty for delivered files.",
    )
    def truth(settings: Settings) -> dg.MaterializeResult:
        from estimation import study as estimation_study

        home = Home.from_environment()
        with open_build(home.build, read_only=True) as con:
            frames = estimation_study.read_marts(con)
        if settings.is_simulated:
            with open_build(home.counterfactual, read_only=True) as con:
                without = estimation_study.read_marts(con)
            table = estimation_study.compute_truth(frames, without, estimation_study.all_specs())
        else:
            table = estimation_study.empty_truth()
        with open_build(home.build) as con:
            write_frame(con, "estimates", "truth", table)
        return dg.MaterializeResult(metadata={"dagster/row_count": len(table), "preview": dg.MetadataValue.md(_markdown(table.head(20)))})

    return [study, truth]


def _run_study(frames, permutations: int):
    from estimation import study as estimation_study

    return estimation_study.run_study(
        frames,
        estimation_study.all_specs(),
        curve=estimation_study.curve_specs(),
        permutations=permutations,
        on_progress=lambda text: progress(f"  {text}"),
    )


def _descriptions() -> dict[str, str]:
    return {
        "estimate": "One coefficient under one line of inference.",
        "diagnostic": "One diagnostic number of a spec.",
        "not_run": "A spec that lacks a series, ties or clusters, with what it needs.",
        "warning": "A warning that belongs beside a spec's estimates.",
        "specification": "The choices of a spec of the specification curve.",
    }


def _headline_rows(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["spec_id"].isin(HEADLINES)] if "vcov" in frame else frame.head(30)


def _markdown(frame: pd.DataFrame) -> str:
    head = "| " + " | ".join(map(str, frame.columns)) + " |\n|" + " --- |" * len(frame.columns) + "\n"
    return head + "\n".join("| " + " | ".join("" if pd.isna(v) else str(v).replace("|", "/") for v in row) + " |" for row in frame.values)


def _inline_picture(svg: str) -> str:
    import base64

    return f"![event study](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"
