"""Inference: one file per runtime."""
