"""The stages of a refresh: plain functions of a `Run` in the modules of this folder.

`meta`, `losses`, `movement` and `promises` hold steps of the stages that write estimates, report
and publication. Nothing here calls the stages: assets wrap them (`orchestration/assets/`), and
Dagster runs the assets in the order of their `deps`. A gate of Great Expectations runs after
`prepare_build`, `build_staging`, `build_marts` and `estimate` (`orchestration/gates`); where it
fails, the stages after it are not run.
"""
