"""Spark without input or output: frames in, frame out."""
