"""A second set of tests, written from the protocols and the design alone: see ``requirements.md``."""
