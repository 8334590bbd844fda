"""What this checkout says of delivered statistics, made from one publication of them: parts of
pages between two comments, two pictures, and the data set of `cs.data.zones`.
"""
