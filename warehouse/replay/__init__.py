"""Check a cell of a publication again by the models, without dbt: `citysync why`."""
