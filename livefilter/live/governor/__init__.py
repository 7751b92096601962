"""Keeps the promised rate and delay while other programs come and go."""
