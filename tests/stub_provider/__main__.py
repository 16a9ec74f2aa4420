"""``python -m tests.stub_provider --port 9000``: the stub by hand, its phones at http://127.0.0.1:9000/."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from tests.stub_provider.server import StubProvider
from tests.stub_provider.state import FAULTS, SECRET

AES = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


def main() -> None:
    faults = "\n".join(f"  {name:14} {what}" for name, what in FAULTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.stub_provider",
        description=__doc__,
        epilog=f"faults, by POST /__control with JSON {{fault, provider, times, every, ...}}:\n{faults}\n\n"
        f"the secret of every account is {SECRET!r}, unless set: {{secrets: {{ACCOUNT: SECRET}}}}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--certificate", help="PEM file with certificate and key: speak TLS")
    parser.add_argument("--callback", help="where clicks on cards are told: http://127.0.0.1:8000/v1/callbacks/wecom")
    parser.add_argument("--token", default="stub", help="the callback's token (?token= in the channel's URL)")
    parser.add_argument("--aes", default=AES, help="its EncodingAESKey (?aes=); default %(default)s")
    options = parser.parse_args()
    stub = StubProvider(options.host, options.port, certificate=options.certificate)
    stub.control(latency=options.latency)
    if options.callback:
        stub.control(callback=options.callback, token=options.token, aes=options.aes)
    done = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: done.set())
    with stub:
        print(stub.base, flush=True)  # the first line tells whoever started it where
        done.wait()
    sys.exit(0)


if __name__ == "__main__":
    main()
