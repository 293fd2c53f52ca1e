"""The sealed list, kits, commitment and reveal: on its own, importing nothing of the trial."""
