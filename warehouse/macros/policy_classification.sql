{#- Clauses of policy texts to tools by the lexicon. Plain Jinja without any function of dbt: the models and `citysync classify`
    render the same text, so that the rules stand in one place. -#}

{#- A tool for each row of `clauses` (clause_key unique, clause_text). At each place of a clause the longest term wins, and terms do not
    overlap. A term counts once per clause with its weight, unless a word of `negated_by` stands in the 8 characters before it, or none of
    `must_stand_near` within 20 characters. The tool with the largest sum wins; ties go to the higher priority, then to the tool that is
    named first. Below a sum of 2 the clause has none. Positions count characters from 1. Terms are found by a join on the two characters at every place:
    one pattern of all terms takes a hundred times as long. -#}
{% macro classify_policy_clauses(clauses, lexicon) -%}
    with policy_terms as (
        select
            cast(dense_rank() over (order by upper(cast(term as varchar))) as integer) as word_no,
            cast(dense_rank() over (order by cast(tool as varchar), cast(tool_class as varchar)) as integer) as tool_no,
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

    policy_lengths as (
        select distinct
            head,
            n
        from policy_words
        where n > 1
    ),

    policy_tools as (
        select distinct
            tool_no,
            tool_class,
            tool
        from policy_terms
    ),

    policy_pieces as (
        select
            clause_key,
            upper(clause_text) as clause_text
        from {{ clauses }}
    ),

    policy_characters as not materialized (
        select
            clause_key,
            clause_text,
            string_split(clause_text, '') as characters
        from policy_pieces
    ),

    policy_starts as not materialized (
        select
            clause_key,
            clause_text,
            unnest(range(1, len(characters))) as place,
            unnest(characters[:-2]) as first_character,
            unnest(characters[2:]) as second_character
        from policy_characters
    ),

    policy_heads as not materialized (
        select
            clause_key,
            clause_text,
            place,
            first_character || second_character as head
        from policy_starts
    ),

    -- many terms begin alike but few lengths do: a piece of each of these lengths is looked up whole
    policy_candidates as not materialized (
        select
            h.clause_key,
            h.place,
            substr(h.clause_text, h.place, l.n) as term
        from policy_heads as h
        inner join policy_lengths as l on h.head = l.head
    ),

    -- terms of one character are few, and so are the clauses that hold one
    policy_single_starts as not materialized (
        select
            c.clause_key,
            c.clause_text,
            w.term,
            unnest(range(1, length(c.clause_text) + 1)) as place
        from policy_pieces as c
        inner join policy_words as w on w.n = 1 and contains(c.clause_text, w.term)
    ),

    policy_found as (
        select
            clause_key,
            place,
            term
        from policy_candidates
        union all
        select
            clause_key,
            place,
            term
        from policy_single_starts
        where substr(clause_text, place, 1) = term
    ),

    -- one number for place, length and word of each term: in ascending order they stand from left to right, at one place the longest first
    policy_sorted as (
        select
            f.clause_key,
            list_sort(list((f.place << 40) | (cast(65535 - w.n as bigint) << 24) | w.word_no)) as found
        from policy_found as f
        inner join policy_words as w on f.term = w.term
        group by f.clause_key
    ),

    -- a term is kept where the last one kept has ended
    policy_kept as (
        select
            clause_key,
            list_reduce(
                list_transform(found, lambda term: [term]),
                lambda kept, next: case
                    when next[1] >> 40 >= (kept[-1] >> 40) + 65535 - ((kept[-1] >> 24) & 65535) then kept || next else kept
                end
            ) as kept
        from policy_sorted
    ),

    policy_terms_kept as not materialized (
        select
            clause_key,
            unnest(kept) as term
        from policy_kept
    ),

    policy_places as (
        select
            clause_key,
            cast(term >> 40 as integer) as place,
            cast(term & 16777215 as integer) as word_no
        from policy_terms_kept
    ),

    -- the text is looked at again only where a term has conditions
    policy_matches as (
        select
            p.clause_key,
            t.tool_no,
            t.word_no,
            max(t.weight) as weight,
            max(t.priority) as priority,
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
        group by p.clause_key, t.tool_no, t.word_no
    ),

    policy_scores as (
        select
            clause_key,
            tool_no,
            sum(weight) as score,
            max(priority) as priority,
            min(place) as first_place
        from policy_matches
        group by clause_key, tool_no
        having sum(weight) >= 2
    ),

    policy_winners as (
        select
            clause_key,
            tool_no,
            score
        from policy_scores
        qualify row_number() over (partition by clause_key order by score desc, priority desc, first_place asc, tool_no asc) = 1
    ),

    -- terms and names are written out for the winner alone
    policy_hits as (
        select
            m.clause_key,
            list_sort(list({ 'place': m.place, 'term': w.term })) as hits
        from policy_matches as m
        inner join policy_winners as v on m.clause_key = v.clause_key and m.tool_no = v.tool_no
        inner join policy_words as w on m.word_no = w.word_no
        group by m.clause_key
    )

    select
        c.clause_key,
        coalesce(t.tool_class, 'none') as tool_class,
        coalesce(t.tool, 'none') as tool,
        coalesce(array_to_string(list_transform(h.hits, lambda hit: hit['term']), '|'), '') as matched_terms,
        coalesce(list_transform(h.hits, lambda hit: hit['place']), []) as matched_places,
        cast(coalesce(v.score, 0) as integer) as score
    from {{ clauses }} as c
    left join policy_winners as v on c.clause_key = v.clause_key
    left join policy_hits as h on c.clause_key = h.clause_key
    left join policy_tools as t on v.tool_no = t.tool_no
{%- endmacro %}
