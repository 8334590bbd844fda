"""A replication folder of a publication, after the template of the American Economic Association's
data editor.
"""
