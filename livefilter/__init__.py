"""livefilter: a real-time anime filter for webcams and livestreams."""

__version__ = "0.1.0"
