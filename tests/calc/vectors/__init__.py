"""Running the published cases of vectors.json."""
