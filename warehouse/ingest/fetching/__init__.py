"""Official data by one command: requests to a service are spaced out, its replies are kept as an
edition, and a `tidy` file is written from them.

`service` asks and retries, `editions` keeps replies and resumes, `tidy_file` checks and writes; a
connector a service says what is wanted.
"""
