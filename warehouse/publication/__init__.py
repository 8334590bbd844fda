"""From a checked build database to a publication, and what is done with publications afterwards.

`publish` writes one and switches to it, `tables` copies and hashes its tables, `manifest` says what
it holds and from what it was made, `verification` hashes it again, `changes` compares a build with
the publication before it, `shrinkage` refuses one that lost much, `archive` keeps what every one
said, `table_comments` explains the tables that Python writes.
"""
