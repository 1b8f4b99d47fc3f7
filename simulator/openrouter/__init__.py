"""A simulated OpenRouter: the API, a demo model behind it, and every way it can fail."""

from simulator.openrouter.app import create_openrouter
from simulator.openrouter.faults import FAULTS
from simulator.openrouter.http_faults import Fault
from simulator.openrouter.world import OpenRouterWorld, Recorded

__all__ = ["FAULTS", "Fault", "OpenRouterWorld", "Recorded", "create_openrouter"]
