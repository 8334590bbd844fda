"""What several analyses share unless a spec says otherwise: level, draws, years, least shares and
counts. The least counts of the primary test are in `primary/city_panel.py`.

SQL reads the years that it shares with Python from `warehouse/macros/settings.sql`; a test compares
the two.
"""

# A difference is found where the p of its family is below this; intervals cover one less it.
LEVEL = 0.05
# Quantile of a two-sided interval at that level.
TWO_SIDED = 1 - LEVEL / 2
# What a test should find, where the smallest change that it would find is given.
POWER = 0.8

# Draws of a permutation, at most.
DRAWS = 9999
# Of checks beside an estimate, whose p is read to two digits.
DRAWS_OF_CHECKS = 999

# Share of the units that a year needs to belong to a series or window, and of the periods that a
# unit of `cs.primary` needs.
LEAST_SHARE = 0.8

# Years that the published study covers.
STUDY_FIRST_YEAR = 2010
STUDY_LAST_YEAR = 2019
# First approval of any zone: what comes before it is untouched by the policy.
FIRST_ADMISSION_YEAR = 2015
# Ties and moderators of a city or pair are means over these years, of which so many are needed.
TIE_FIRST_YEAR = 2010
TIE_LAST_YEAR = 2014
TIE_MINIMUM_YEARS = 3
