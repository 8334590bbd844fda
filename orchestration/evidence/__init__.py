"""Write the figures of delivered statistics in this checkout from one publication of them: parts of
pages between two comments, two pictures, and the data set of `cs.data.zones`.
"""
