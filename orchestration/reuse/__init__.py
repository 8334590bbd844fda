"""What a run may leave out because an earlier one did it from the same input.

`fingerprint` is what each stage depends on, `plan` what is left to do, `kept_units` keeps groups of
specs by their input.
"""
