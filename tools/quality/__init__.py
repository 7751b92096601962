"""The quality report: how close each style comes to its teacher, how steady it is and what it costs."""
