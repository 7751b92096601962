"""Forms of networks and engines, side by side on one GPU."""
