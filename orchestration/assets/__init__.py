"""Dagster assets, one module per layer: landing, warehouse, estimation, publication."""
