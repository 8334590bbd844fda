"""Defect injection: what the warehouse's own rules find in a clean landing after defects of known
place and kind were put into it.
"""
