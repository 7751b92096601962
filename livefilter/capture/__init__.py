"""Inputs: one file per kind of source."""
