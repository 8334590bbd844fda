"""Great Expectations as blocking asset checks, and the data that they judge.

The rules are in `expectations/suites`.
"""
