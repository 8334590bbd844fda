"""Turn a checked build into a publication, and work with publications afterwards.

Writing one: `publish` writes it and switches to it, `tables` copies and hashes its tables,
`manifest` lists what it holds and what it was made from, `losses` refuses a build that lost
much, `archive` keeps the small tables of every run, `change_tables` compares a build with the
last publication, `datapackage` describes the files.

Reading one: `untrusted` opens a publication that anybody may have written, `open_yearly_files`
adds the tables that are stored by year, `verification` compares it with its manifest,
`compare_with_landing` with the delivered files.

Passing it on: `redistribution` leaves out values whose licence forbids passing them on, and
`reconstruction` measures whether they can be computed from the rest. `city_panel` writes the
current values of cities that are not quarantined, whatever their licence.
"""
