"""Plume Cloud: sign-in, calls, and what its answers hold."""
