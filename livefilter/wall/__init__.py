"""Many live streams at once, each in a process of its own or sharing an engine, on one machine or many."""
