"""Official data by one command: a service is asked politely, its replies are kept as an edition,
and a `tidy` file is written from them.

`service` asks and retries, `editions` keeps replies and resumes, `tidy_file` checks and writes; a
connector a service says what is wanted.
"""
