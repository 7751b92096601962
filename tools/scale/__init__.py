"""Measures and simulates rendering on many machines: docs/scale.md."""
