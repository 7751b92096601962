"""Files styled on many machines at once; Ray carries the work, and nothing here is imported before it is asked for."""
