"""Wiring only: Dagster assets and the `refresh` command.

Holds no formula and no rule; nothing imports it.
"""
