"""Many small inputs, compared with other decoders; run with: pytest -m corpus tests/corpus."""
