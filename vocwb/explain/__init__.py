"""Explain: who, and why."""
