"""Great Expectations as blocking asset checks, and the data that they check.

The rules are in `expectations/suites`.
"""
