"""How much of what is withheld can be computed from a public folder? Asked as an attacker would.

Somebody has the folder and knows two years a city, the mean of all cities in each year, how growth
of the years goes together, and whether a city grew faster or slower than others. From these alone
he guesses each withheld value (`without`). With the folder he guesses better, where any numbers in
it follow from the values. Both guesses are made by the same computation, so that the difference is
what the folder gives away.

1. Every number that belongs to a city, a city and a year, or a pair of cities is read (`columns`).
   A matrix of pairs becomes columns of cities, its leading eigenvectors (`pairs`): one for products
   or distances of a single year, one per year for means over years (docs/methods, section 3).
2. Each column is regressed on what it may be computed from: growth or standardised growth of single
   years, or sums over the years of any window of either and of squared distances from the mean
   (`attack`). The regression uses the withheld values, so that the attacker has the exact
   coefficients even where no page states them. A column that these do not explain better than
   chance is not used.
3. Growth of each city is drawn from what is known of all cities and moved to the nearest path that
   gives the column's numbers (randomized maximum likelihood: Oliver, He and Reynolds 1996). The
   guess is the median of these draws.
4. Two other routes are tried separately: a column that repeats values in per cent, in log points or
   as an index (`recovery`), and a cohort of one city with a coefficient for each year, which is a
   known function of that city's growth (`cohorts`).
"""
