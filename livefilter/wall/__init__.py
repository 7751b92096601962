"""Many live streams at once, each in a process of its own, on one machine or many."""
