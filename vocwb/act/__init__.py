"""Act: what to do, and did it help."""
