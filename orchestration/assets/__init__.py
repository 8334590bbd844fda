"""Dagster assets, one module a layer: landing, warehouse, estimation, publication."""
