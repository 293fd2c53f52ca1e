"""Cohorts to estimates: what a regulator would accept, usable on anybody's data without the simulator."""
