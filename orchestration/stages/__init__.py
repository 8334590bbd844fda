"""The stages of a refresh: plain functions of a `Run` in the modules of this folder.

Nothing here calls them: assets wrap them (`orchestration/assets/`), and Dagster runs the assets in
the order of their `deps`. A gate of Great Expectations runs after `prepare_build`, `build_staging`,
`build_marts` and `estimate` (`orchestration/gates`); where it fails, the stages after it are not
run.
"""
