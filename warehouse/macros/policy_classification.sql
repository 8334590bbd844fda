{#- Clauses of policy texts to tools by the lexicon. Plain Jinja without any function of dbt: the models and `python -m estimation classify`
    render the same text, so that the rules stand in one place. -#}

{#- All terms as one pattern, the longest first: at each place of a text the longest term wins, and terms do not overlap. A variable, because
    DuckDB compiles a pattern once only where it is constant. -#}
{% macro set_policy_pattern(lexicon) -%}
    set variable policy_pattern = (
        select string_agg(regexp_escape(term), '|' order by length(term) desc, term)
        from (select distinct upper(cast(term as varchar)) as term from {{ lexicon }})
    )
{%- endmacro %}

{#- A tool for each row of `clauses` (clause_key unique, clause_text). A term counts once a clause with its weight, unless a word of `negated_by`
    stands in the 8 characters before it, or none of `must_stand_near` within 20 characters. The tool with the largest sum wins; ties go to
    the higher priority, then to the tool named first. Below a sum of 2 the clause has none. Positions count characters from 1. -#}
{% macro classify_policy_clauses(clauses, lexicon) -%}
    with policy_terms as (
        select
            upper(cast(term as varchar)) as term,
            cast(tool_class as varchar) as tool_class,
            cast(tool as varchar) as tool,
            cast(weight as integer) as weight,
            cast(priority as integer) as priority,
            string_split(nullif(cast(must_stand_near as varchar), ''), '|') as near_words,
            string_split(nullif(cast(negated_by as varchar), ''), '|') as negating_words
        from {{ lexicon }}
    ),

    policy_pieces as (
        select
            clause_key,
            upper(clause_text) as clause_text,
            regexp_extract_all(upper(clause_text), getvariable('policy_pattern')) as terms,
            regexp_split_to_array(upper(clause_text), getvariable('policy_pattern')) as gaps
        from {{ clauses }}
    ),

    policy_hits as (
        select
            clause_key,
            clause_text,
            terms,
            gaps,
            unnest(range(1, len(terms) + 1)) as nth
        from policy_pieces
        where len(terms) > 0
    ),

    policy_places as (
        select
            clause_key,
            clause_text,
            terms[nth] as term,
            cast(
                1 + list_sum(list_transform(gaps[1:nth], lambda g: length(g)))
                + coalesce(list_sum(list_transform(terms[1:nth - 1], lambda t: length(t))), 0) as integer
            ) as place
        from policy_hits
    ),

    policy_matches as (
        select
            p.clause_key,
            p.term,
            t.tool_class,
            t.tool,
            any_value(t.weight) as weight,
            any_value(t.priority) as priority,
            min(p.place) as place
        from policy_places as p
        inner join policy_terms as t on p.term = t.term
        where
            case
                when t.near_words is null then true
                else len(list_filter(
                    t.near_words,
                    lambda w: contains(substr(p.clause_text, greatest(p.place - 20, 1), 40 + length(p.term)), w)
                )) > 0
            end
            and case
                when t.negating_words is null then true
                else len(list_filter(
                    t.negating_words,
                    lambda w: contains(substr(p.clause_text, greatest(p.place - 8, 1), least(p.place - 1, 8)), w)
                )) = 0
            end
        group by p.clause_key, p.term, t.tool_class, t.tool
    ),

    policy_scores as (
        select
            clause_key,
            tool_class,
            tool,
            sum(weight) as score,
            max(priority) as priority,
            min(place) as first_place,
            string_agg(term, '|' order by place, term) as matched_terms,
            list(place order by place, term) as matched_places
        from policy_matches
        group by clause_key, tool_class, tool
    ),

    policy_winners as (
        select *
        from policy_scores
        where score >= 2
        qualify row_number() over (partition by clause_key order by score desc, priority desc, first_place, tool) = 1
    )

    select
        c.clause_key,
        coalesce(w.tool_class, 'none') as tool_class,
        coalesce(w.tool, 'none') as tool,
        coalesce(w.matched_terms, '') as matched_terms,
        coalesce(w.matched_places, []) as matched_places,
        cast(coalesce(w.score, 0) as integer) as score
    from {{ clauses }} as c
    left join policy_winners as w on c.clause_key = w.clause_key
{%- endmacro %}
