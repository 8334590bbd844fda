"""What `citysync COMMAND --help` says below its options."""

from ..estimators.registry import ESTIMATORS

DESCRIBED = "\n".join(
    f"  {row.name:<21}{row.description}" for row in ESTIMATORS.values() if row.on_any_panel
)
FIT_HELP = f"""
PANEL, one row per pair in a year:

  city_i_id,city_j_id,year,cohort_year,y,province_i_id,province_j_id
  330100,340100,2014,2015,0.31,330000,340000     the pair's only treated unit starts in 2015
  340100,340200,2014,,0.12,340000,340000         blank: never treated, a control

Other names: --unit exporter,importer --time period --cohort first_year; ids of any kind, in any
order. --cohort first_i,first_j (or a file of units and their first treated years) gives the
cohorts of units, and the exposure of pairs is built from them.

Under the names above: city_i_id < city_j_id (as integers if all are, else as text); leave pairs
of two treated units out. cohort_year is the year, not a 0/1 dummy: 'exactly one of the two is
treated now' switches off again and is refused. province_i_id, province_j_id are the blocks;
city_i_cohort_year, city_j_cohort_year name the treated units where the pairs alone do not tell.

estimators
{DESCRIBED}
  within_block         treated units against units of their own block by mean outcome with
                       never-treated ones; inference by permutation alone

without never-treated pairs (no blank cohort_year)
  cohorts are compared with pairs that are treated later, by callaway_santanna only with
  --control-pairs not_yet_treated, by event_study only with --binning; name the treated units with
  city_i_cohort_year, city_j_cohort_year, else unit and permutation are left out

inference methods (--vcov; the JSON object has their published names)
  block_jackknife      the default where 10 blocks can be left out and 2 of them hold treated units
  unit                 the default where the jackknife cannot be, with at least 4 treated units that
                       do not all sit in one block
  permutation          first treated years shuffled within blocks; the default with fewer than 4
                       treated units, or with all in one block; elsewhere read it beside the
                       default, which decides
  dyadic               pairs that share a unit, t with treated units - 1 degrees of freedom
  pair                 clustered by pair: the contrast only, it rejects far too often

examples
  citysync fit panel.csv --outcome y
  citysync fit trade.dta --outcome ln_trade --unit exporter,importer --cohort entry.csv \\
    --block continents.csv --table
  citysync fit panel.csv --outcome y --estimator event_study --docx table.docx --plot event.svg
  citysync fit panel.parquet --outcome y --vcov dyadic,permutation --permutations 999 --json

A terminal gets a table, a pipe or a file the JSON object. Long draws show their progress on
stderr where that is a terminal. Bad input: exit code 2, the reason on stderr, nothing on stdout.
"""
PRIMARY_HELP = """
The primary test on any panel of units, one row per unit and period:

  city_id,year,growth,cohort_year,block_id
  330100,2014,8.2,2015,330000     first treated in 2015
  330200,2014,7.9,,330000         blank: never treated

block_id is the group inside which treatment is compared and permuted, for example the region.
Printed are the change of mean synchronization of a treated unit with never-treated ones,
its interval by inversion of the same test, its p, the smallest effect that would be found in 80 %
of cases, and the two channels: variance of idiosyncratic shocks, loading on the common cycle.
docs/methods, section 18, has the formulas; docs/evidence/primary-test.md what was measured.

  citysync primary units.csv --seed 1 --permutations 9999 --json
"""
