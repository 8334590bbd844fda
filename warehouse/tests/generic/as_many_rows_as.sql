{#- For a model that shows the rows of another one without the columns that tell them apart: fails where the two have not as many rows. -#}
{% test as_many_rows_as(model, other) %}
    select
        (select count(*) from {{ model }}) as n_rows,
        (select count(*) from {{ other }}) as n_rows_of_other
    where (select count(*) from {{ model }}) <> (select count(*) from {{ other }})
{% endtest %}
