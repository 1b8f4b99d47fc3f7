"""The eyes: from a person to what they may see, and to a report of it."""
