"""The catalogue of trained generators."""
