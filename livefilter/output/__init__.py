"""Outputs: one file per kind of sink."""
