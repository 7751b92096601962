"""OBS Studio: sound in time with the picture, scenes that choose the look, our picture as a source."""
