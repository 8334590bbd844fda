"""Sheets to raw rows by a layout.

`choice` says which table of the layout reads a sheet, `bindings` what its columns mean, `rows` and
`values` read them; `observations` does all of it for a file.
"""
