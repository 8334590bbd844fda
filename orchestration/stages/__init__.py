"""The stages of a refresh: plain functions of a `Run`, which assets wrap so that Dagster runs them.

`ORDER` lists the stages from top to bottom for whoever reads them, one source for all: Dagster
takes the order from what the assets depend on, and a test compares the two. A gate of Great
Expectations stands after `link_files`, `build_staging`, `build_marts` and `estimate`
(`orchestration/gates`); what it stops is not run.
"""

from orchestration.stages import counterfactual, estimates, landing, publication, report, warehouse

#: Each stage in the order in which it is run, by the name of its step in Dagster.
ORDER = {
    "raw__simulated_landing": landing.simulate,
    "raw__tidy": landing.read_source,
    "raw_tables": landing.link_files,
    "dbt_staging": warehouse.build_staging,
    "dbt_marts": warehouse.build_marts,
    "simulation__counterfactual_synchronization": counterfactual.wait,
    "study": estimates.estimate,
    "publication__report": report.write,
    "publication__published": publication.publish,
}
