"""Sample logs: a real one (MovieLens-100K) and a synthetic one, both written as a web log looks."""
