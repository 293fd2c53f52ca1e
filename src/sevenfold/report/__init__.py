"""Estimates to pages. Nothing is computed here: numbers come in as they are printed."""
