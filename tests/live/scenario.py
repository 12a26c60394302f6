"""How a scenario is run: its arguments, its end, and what it asks of the test that started it.

A scenario prints its steps, exits 0 if all its claims hold, else 1 with the
reason as last line of stderr. `ask_for("restart mixd")` prints a line that the
test reads from stdout; the test does it and answers with a line on stdin.
"""

import argparse
import asyncio
import sys
import traceback
from dataclasses import dataclass

from people import Failed, Refused, shown

SCENARIO_S_MAX = 120


@dataclass
class Host:
    """Where the host server is; `kind` is the name that `scripts/host` knows, `api` the address of the HTTP API of mixd, `http_port` where the
    host server takes WebSockets.

    `component_port` and `secret` are for scenarios that play the component themselves.
    """

    kind: str
    address: str
    c2s_port: int
    domain: str
    service: str
    api: str = ""
    http_port: int = 0
    component_port: int = 0
    secret: str = ""

    @property
    def sets_rosters(self):
        """Whether a component with the roster privilege can set roster items."""
        return self.kind.startswith("prosody")


async def ask_for(what):
    """Has the test do something to a process, and waits until it is done."""
    print(f"please: {what}", flush=True)
    answer = await asyncio.to_thread(sys.stdin.readline)
    if answer.strip() != "done":
        raise Failed(f"the test could not {what}: {answer.strip() or 'it is gone'}")


def step(text):
    """Says which claim comes next."""
    print(f"  {text}", flush=True)


def run(play, within_s=SCENARIO_S_MAX):
    """Runs `play(host)` with the command line's host and exits."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", required=True, choices=["prosody", "prosody-mixd", "ejabberd", "ejabberd-mix-pam"])
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--c2s-port", type=int, required=True)
    parser.add_argument("--domain", required=True)
    parser.add_argument("--service", required=True)
    parser.add_argument("--api", default="")
    parser.add_argument("--http-port", type=int, default=0)
    parser.add_argument("--component-port", type=int, default=0)
    parser.add_argument("--secret", default="")
    host = Host(**vars(parser.parse_args()))
    try:
        asyncio.run(asyncio.wait_for(play(host), within_s))
    except Failed as failure:
        sys.exit(f"FAILED: {failure}")
    except Refused as refusal:
        traceback.print_exc()
        sys.exit(f"FAILED: an unexpected error: {shown(refusal.stanza)}")
    except asyncio.TimeoutError:
        sys.exit(f"FAILED: the scenario took more than {within_s} s")
