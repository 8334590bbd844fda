"""How often the page of the default landing would say 'found', and how often its intervals hold the
truth, over many economies.
"""
