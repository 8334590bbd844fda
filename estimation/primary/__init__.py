"""The primary test of a city panel, its channels and its power; nothing heavy is imported here."""

WITHIN_BLOCK = "within_block"
