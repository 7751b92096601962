"""The anime score: a small network that tells drawings from photos, trained here and kept outside the package."""
