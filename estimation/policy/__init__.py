"""The primary test for any list of units and dates that somebody brings."""
