"""The simulated landing: growth (`economy`), levels, what is published of them (`published`),
policy texts, and files (`landing`).
"""
