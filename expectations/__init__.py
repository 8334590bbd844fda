"""Plausibility of what was delivered, judged after each stage.

Suites are data; `gate` alone talks to Great Expectations.
"""
