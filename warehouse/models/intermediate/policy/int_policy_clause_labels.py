# grain: one row is a clause of a policy text with its tool by the lexicon
# key: clause_key
def model(dbt, session):
    """Ask the lexicon of every clause, as `citysync classify` does."""
    import pyarrow as pa

    from estimation.measures.policy_tools import Lexicon

    dbt.config(materialized="table")
    lexicon = Lexicon(dbt.ref("policy_lexicon").arrow().read_all().to_pylist())
    clauses = dbt.ref("stg_policy__clauses").select("clause_key, clause_text").arrow().read_all()
    found = [lexicon.tool_of(text) for text in clauses["clause_text"].to_pylist()]
    return pa.table(
        {
            "clause_key": clauses["clause_key"],
            "tool_class": pa.array([one.tool_class for one in found], pa.string()),
            "tool": pa.array([one.tool for one in found], pa.string()),
            "matched_terms": pa.array(["|".join(one.terms) for one in found], pa.string()),
            "matched_places": pa.array([one.places for one in found], pa.list_(pa.int32())),
            "score": pa.array([one.score for one in found], pa.int32()),
        }
    )
