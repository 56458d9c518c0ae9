"""Reads of the back office: the public plane only. What partners hold is not ours to see."""
