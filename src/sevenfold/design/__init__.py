"""Many trials: what a plan's procedures do when nothing differs, or something does."""
