"""The service. `app.main.create_app` wires it together."""

__version__ = "1.0.0"
