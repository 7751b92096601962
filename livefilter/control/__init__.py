"""Control: shared settings, keys and actions."""
