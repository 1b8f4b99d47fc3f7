"""What `doctor` looks at. Each check takes the `Case` and returns what it found."""
