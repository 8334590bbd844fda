"""Tables of one landing, the same for any publication so that two landings can be compared: where
the weight lies, own outcomes, and families of tests.
"""

from __future__ import annotations

from estimation.defaults import LEVEL
from orchestration.evidence.figures import Part
from orchestration.evidence.readme_sentences import PRIMARY

#: Which run it is, and how many files it read.
LANDING = Part(
    "Run {run_id} of {day}: {n} files of {sources} sources.",
    """select run_id, left(started_at, 10) as day,
        (select count(*) from meta.input_file) as n,
        (select count(distinct source_id) from meta.input_file) as sources
    from meta.run""",
)
#: Shares of the weight and estimates by years since admission and by period.
WEIGHT = f"""
with parts(nth, name, part) as (values
    (1, '0_to_1', 'first two years of a zone'),
    (2, '2_and_more', 'later years of a zone'),
    (3, 'before_the_pandemic', 'years before the pandemic'),
    (4, 'in_the_pandemic', 'in it'),
    (5, 'after_the_pandemic', 'after it')
)
select part, format('{{:.0f}} %', 100 * weight) as weight,
    if(estimate is null, reason, signed(estimate) || ' (' || size(std_error) || ')')
        as "estimate (error)",
    p_of(p_value) as "p of equality", p_of(p_value_family) as "corrected for both"
from parts join estimates.weight using (name)
where grain in ('ages', 'periods') and spec_id = '{PRIMARY}' order by nth
"""
#: Who an own outcome is compared with.
AGAINST = """if(comparison = 'all_cities', 'all cities of the province', 'those admitted later')"""
#: Every own outcome in both comparisons, or why it was not run.
OWN_OUTCOMES = f"""
select words(outcome) || if(estimate is null, '', format(', {{}}-{{}}', first_year, last_year))
        as outcome,
    {AGAINST} as "compared with",
    if(estimate is null, reason, signed(estimate) || ' (' || interval_of(ci_low, ci_high) || ')')
        as "estimate (95 %)",
    if(estimate is null, '', p_of(p_value)) as p,
    if(estimate is null, '', p_of(p_value_family)) as "corrected p",
    if(estimate is null, '', size(minimum_detectable_family)) as "found in 80 %"
from estimates.own_outcome as own where spec_id = '{PRIMARY}'
order by own.family = 'other_own_outcomes', own.outcome, comparison
"""
#: How many rows of each family are below 5 % before correction, and are found: of every default row
#: whose p is corrected in a family.
FAMILIES = f"""
with corrected as (
    select family, family_size, p_value, p_value_family from estimates.estimate where is_default
    union all by name
    select family, family_size, p_value, p_value_family from estimates.own_outcome
    union all by name
    select distinct family, family_size, p_value, p_value_family from estimates.weight
    union all by name
    select 'growth_and_cycle' as family, 2 as family_size, p_value, p_value_family
    from estimates.primary
    union all by name
    select 'channels' as family, (select count(p_value) from estimates.channel) as family_size,
        p_value, p_value_bh as p_value_family from estimates.channel
)
select words(corrected.family) as family, max(family_size) as tests,
    format('{{}} of {{}}', count(*) filter (p_value < {LEVEL}), count(*)) as "rows below 5 %",
    count(*) filter (p_value_family < {LEVEL}) as found,
    p_of(min(p_value_family)) as "smallest corrected p"
from corrected where p_value_family is not null group by corrected.family
order by corrected.family
"""
