"""How somebody else's tables become a cohort: a mapping, cells read strictly, and an account that closes."""
