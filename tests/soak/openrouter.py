"""`python -m tests.soak.openrouter`: the simulated OpenRouter without any delay."""

import socket

import uvicorn

from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.sockets import OpenProtocol


def main() -> None:
    app = create_openrouter(OpenRouterWorld())
    with socket.create_server(("127.0.0.1", 0), backlog=512) as door:
        print(f"http://127.0.0.1:{door.getsockname()[1]}/api/v1", flush=True)  # noqa: T201 - told once
        config = uvicorn.Config(app, http=OpenProtocol, ws="none", log_level="warning")
        uvicorn.Server(config).run(sockets=[door])


if __name__ == "__main__":
    main()
