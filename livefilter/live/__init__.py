"""The live run: three stages, and the parts that can be exchanged while they run."""
