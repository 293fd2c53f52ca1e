"""A trial's analysis as its protocol plans it: from a cohort to every estimate, with its strategy and what was left
out.
"""
