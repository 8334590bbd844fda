"""Check after each stage whether what was delivered is plausible.

Suites are data; `gate` alone talks to Great Expectations.
"""
