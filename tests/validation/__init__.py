"""The validation matrix: what regulations ask, the code that does it, the tests that show it, and how they came out."""
