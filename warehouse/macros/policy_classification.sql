{#- Clauses of policy texts to tools by the lexicon. Plain Jinja without any function of dbt: the models and `python -m estimation classify`
    render the same text, so that the rules stand in one place. -#}

{#- A tool for each row of `clauses` (clause_key unique, clause_text). At each place of a clause the longest term wins, and terms do not overlap.
    A term counts once a clause with its weight, unless a word of `negated_by` stands in the 8 characters before it, or none of
    `must_stand_near` within 20 characters. The tool with the largest sum wins; ties go to the higher priority, then to the tool named first.
    Below a sum of 2 the clause has none. Positions count characters from 1. Terms are found by a join on the two characters at every place:
    one pattern of all terms takes a hundred times as long. -#}
{% macro classify_policy_clauses(clauses, lexicon) -%}
    with policy_terms as (
        select
            cast(dense_rank() over (order by upper(cast(term as varchar))) as integer) as word_no,
            upper(cast(term as varchar)) as term,
            cast(tool_class as varchar) as tool_class,
            cast(tool as varchar) as tool,
            cast(weight as integer) as weight,
            cast(priority as integer) as priority,
            string_split(nullif(cast(must_stand_near as varchar), ''), '|') as near_words,
            string_split(nullif(cast(negated_by as varchar), ''), '|') as negating_words
        from {{ lexicon }}
    ),

    policy_words as (
        select distinct
            word_no,
            term,
            left(term, 2) as head,
            cast(length(term) as integer) as n
        from policy_terms
        where term <> ''
    ),

    policy_pieces as (
        select
            clause_key,
            upper(clause_text) as clause_text
        from {{ clauses }}
    ),

    policy_starts as not materialized (
        select
            clause_key,
            clause_text,
            unnest(range(1, length(clause_text) + 1)) as place
        from policy_pieces
    ),

    policy_heads as not materialized (
        select
            clause_key,
            clause_text,
            place,
            substr(clause_text, place, 2) as head
        from policy_starts
    ),

    policy_found as (
        select
            s.clause_key,
            cast(s.place as integer) as place,
            w.word_no,
            w.n
        from policy_heads as s
        inner join policy_words as w on s.head = w.head and substr(s.clause_text, s.place, w.n) = w.term
        where w.n > 1
        union all
        select
            s.clause_key,
            cast(s.place as integer) as place,
            w.word_no,
            w.n
        from policy_heads as s
        inner join policy_words as w on left(s.head, 1) = w.term
        where w.n = 1
    ),

    policy_longest as (
        select
            clause_key,
            place,
            max(n) as n,
            arg_max(word_no, n) as word_no
        from policy_found
        group by clause_key, place
    ),

    -- from left to right: a term is kept where the last one kept has ended; a list holds place, end and word of each, one after the other
    policy_kept as (
        select
            clause_key,
            list_reduce(
                list_sort(list([place, place + n, word_no])), lambda kept, found: case when found[1] >= kept[-2] then kept || found else kept end
            ) as kept
        from policy_longest
        group by clause_key
    ),

    policy_places as (
        select
            clause_key,
            unnest(list_transform(range(1, len(kept), 3), lambda k: struct_pack(place := kept[k], word_no := kept[k + 2])), recursive := true)
        from policy_kept
    ),

    -- the text is looked at again only where a term has conditions
    policy_matches as (
        select
            p.clause_key,
            t.tool_class,
            t.tool,
            t.term,
            any_value(t.weight) as weight,
            any_value(t.priority) as priority,
            min(p.place) as place
        from policy_places as p
        inner join policy_terms as t on p.word_no = t.word_no
        left join policy_pieces as c
            on p.clause_key = c.clause_key and (t.near_words is not null or t.negating_words is not null)
        where
            case
                when t.near_words is null then true
                else list_bool_or(list_transform(
                    t.near_words, lambda w: contains(substr(c.clause_text, greatest(p.place - 20, 1), 40 + length(t.term)), w)
                ))
            end
            and case
                when t.negating_words is null then true
                else not list_bool_or(list_transform(
                    t.negating_words, lambda w: contains(substr(c.clause_text, greatest(p.place - 8, 1), least(p.place - 1, 8)), w)
                ))
            end
        group by p.clause_key, t.tool_class, t.tool, t.term
    ),

    policy_scores as (
        select
            clause_key,
            tool_class,
            tool,
            sum(weight) as score,
            max(priority) as priority,
            min(place) as first_place,
            list({ 'place': place, 'term': term }) as hits
        from policy_matches
        group by clause_key, tool_class, tool
        having sum(weight) >= 2
    ),

    policy_winners as (
        select
            clause_key,
            tool_class,
            tool,
            score,
            list_sort(hits) as hits
        from policy_scores
        qualify row_number() over (partition by clause_key order by score desc, priority desc, first_place, tool) = 1
    )

    select
        c.clause_key,
        coalesce(w.tool_class, 'none') as tool_class,
        coalesce(w.tool, 'none') as tool,
        coalesce(array_to_string(list_transform(w.hits, lambda hit: hit['term']), '|'), '') as matched_terms,
        coalesce(list_transform(w.hits, lambda hit: hit['place']), []) as matched_places,
        cast(coalesce(w.score, 0) as integer) as score
    from {{ clauses }} as c
    left join policy_winners as w on c.clause_key = w.clause_key
{%- endmacro %}
