"""What only the UI of Dagster needs: labels, tags and metadata, its record of runs, its button to
go on after a failure.
"""
