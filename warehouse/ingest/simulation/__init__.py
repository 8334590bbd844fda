"""The simulated landing: growth (`economy`), levels (`levels`), policy texts, their files (`files`), and the whole of it (`landing`)."""
