-- grain: one row is a clause of a policy text
-- key: clause_key
select
    clauses.*,
    tools.tool_class,
    tools.tool,
    tools.matched_terms,
    tools.matched_places,
    case
        when tools.tool = 'none' or clauses.clause_kind <> 'body' then 0
        when tools.tool = 'goal_planning' then {{ policy_goal_score('clauses.clause_text') }}
        else {{ policy_measure_score('clauses.clause_text') }}
    end as strength_score
from {{ ref('stg_policy__clauses') }} as clauses
inner join {{ ref('int_policy_clause_labels') }} as tools on clauses.clause_key = tools.clause_key
