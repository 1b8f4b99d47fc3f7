"""What must not be lost. A repository is synchronous functions on a `Connection`."""
