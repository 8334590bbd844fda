"""How the lines of inference behave on data whose effect is known: size, power, coverage (METHODS, section 7)."""
