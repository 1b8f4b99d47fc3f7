"""HTTP alone: parse, call, return."""
