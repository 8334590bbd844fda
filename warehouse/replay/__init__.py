"""A cell of a publication judged once more by the models, without dbt: `citysync why`."""
