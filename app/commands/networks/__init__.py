"""Commands that look at networks, and who may."""
