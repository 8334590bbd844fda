"""What a run may leave out because an earlier one did it from the same input.

`fingerprint` is what a run depends on, `plan` what is left to do, `resume` how to start in the
middle, `kept_units` keeps units of the study by their input, `chosen_analyses` estimates some
analyses inside earlier tables.
"""
