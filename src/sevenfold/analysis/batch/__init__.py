"""Estimators over many trials at once: arrays with a leading trial axis in, a status and numbers for each trial out."""
