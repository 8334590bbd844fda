"""Cells as delivered.

`cell_values` reads the text, number, year and address of one cell, `column_values` whole columns;
`coded_texts` holds repeated texts.
"""
