"""Share: for people's eyes."""
