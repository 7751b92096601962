"""The figures of the network that finds people, and of what is made of its masks."""
