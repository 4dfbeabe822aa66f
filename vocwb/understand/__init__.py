"""Understand: what is said, how it feels, the scores."""
