"""The mixed model of many small trials in compiled code."""
