"""Bytes of a file to grids of cells (`grids`), with what the reading library does not do:
encryption, size limits, lost error cells.
"""
