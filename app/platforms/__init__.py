"""What a platform is: configuration, nothing that knows one platform from another."""
