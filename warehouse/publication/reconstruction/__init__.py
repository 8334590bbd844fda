"""How much of what is withheld can be computed from a public folder? Asked as an attacker would.

Somebody has the folder and knows two years a city, the mean of all cities in each year, how growth
of the years goes together, and whether a city grew faster or slower than others. From these alone
he guesses each withheld value (`without`). With the folder he guesses better, where any numbers in
it follow from the values. Both guesses are made by the same computation, so that the difference is
what the folder gives away.

1. Every number that has a city, a city and a year, or a pair of cities is read
   (`columns`). A matrix of pairs becomes positions of its cities: products by their
   first factor, gaps by their first coordinate, means over years by as many factors as there are
   years (docs/methods, section 3).
2. Of each column it is found out what it is computed from: growth or its standardised form in
   single years, or a sum over years of either and of squared distances from the mean, in any
   window.
   The definitions are public; taking the coefficients from the values themselves spares writing
   them down, and gives the attacker those that are not. A column that no definition explains
   better than chance counts for nothing.
3. Growth of each city is drawn from what is known of all cities and moved to the nearest path that
   gives the column's numbers (randomized maximum likelihood: Oliver, He and Reynolds 1996). The
   guess is the median of these draws.
4. A column that repeats values, in per cent, in log points or as an index, is found by itself, and
   so is a city that is alone in its cohort and has a coefficient a year.
"""
