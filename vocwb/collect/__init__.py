"""Collect: raw exports become responses and feedback."""
