"""One module per stage; each holds `RULES`.

A suite checks whether what was delivered is plausible; keys and relations are dbt's own tests.
"""

from expectations.suites import estimates, marts, raw, staging

RULES = {
    "raw": raw.RULES,
    "staging": staging.RULES,
    "marts": marts.RULES,
    "estimates": estimates.RULES,
}
