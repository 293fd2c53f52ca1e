"""From published figures to a distribution of the population's parameters, and predictions that carry it."""
