"""What is remembered of a conversation (it expires) and of a person (it does not)."""
