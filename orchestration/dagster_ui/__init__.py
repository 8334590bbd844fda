"""The UI of Dagster: labels, metadata, history of runs, and the check before a run is resumed."""
