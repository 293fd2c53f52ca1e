"""Laboratory values graded by the Common Terminology Criteria for Adverse Events, a table a version."""
