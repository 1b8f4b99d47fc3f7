"""How fast the service is, beside a bare pass-through and the upstream itself. Linux only."""
