"""Training of the AnimeGAN family as published (Chen et al. 2020)."""
