"""The process that draws: pictures as JSON come in, PNGs go out, each after its length.

It ends when its input does, so it never outlives the service. An empty answer is a picture that
cannot be drawn; why, it does not say, because the words of an error can hold names of networks.
"""

import os
import signal
import struct
import sys
import warnings
from typing import BinaryIO

HEAD = struct.Struct(">I")


def main() -> None:
    # The end of a service in a terminal is a SIGINT to all; this one waits for its input's end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Nothing that prints may get between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    warnings.simplefilter("ignore")
    from app.network.charts import chart  # noqa: PLC0415 - takes a second, so after the above
    from app.network.pictures import PICTURES  # noqa: PLC0415

    _say(answers, b"ready")
    while asked := _read(sys.stdin.buffer):
        try:
            png = chart(PICTURES.validate_json(asked))
        # Whatever is wrong with one picture, the next one can be fine.
        except Exception:  # noqa: BLE001
            png = b""
        _say(answers, png)


def _read(source: BinaryIO) -> bytes:
    head = source.read(HEAD.size)
    if len(head) < HEAD.size:
        return b""
    return source.read(HEAD.unpack(head)[0])


def _say(out: BinaryIO, answer: bytes) -> None:
    out.write(HEAD.pack(len(answer)) + answer)
    out.flush()


if __name__ == "__main__":
    main()
