"""How the lines of inference behave on data whose effect is known: size, power, coverage
(docs/methods, section 7).
"""
