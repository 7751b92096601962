"""Measures frame rates, latency, drops, CPU and memory of the real pipeline, and of the loop people write today."""
