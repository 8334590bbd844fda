"""What a user of the library calls:

`fit`, `primary`, `etable`, and their results. Nothing heavy is imported here.
"""
