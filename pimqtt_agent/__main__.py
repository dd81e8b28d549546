"""The command ``pimqtt``. ``run`` and ``safe`` start without the command line's library, for speed."""

from __future__ import annotations

import gc
import os
import sys

from pimqtt_agent import run_options
from pimqtt_agent.deferred import defer


def main() -> int:
    """Dispatch; return the exit status."""
    command, rest = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    if command == "safe" and not {"-h", "--help"} & set(rest):
        from pimqtt_agent import safe  # noqa: PLC0415

        return safe.main(rest)
    if command in ("run", "agent"):  # agent: how a supervisor starts the agent of a newer version
        options = run_options.read(rest, handed=command == "agent")
        if options is not None:
            return _run(command, options)
    from pimqtt_agent import cli  # noqa: PLC0415

    return cli.main()


def _run(command: str, options: run_options.RunOptions) -> int:
    gc.disable()  # nothing is garbage until we run; each process decides for itself then
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for them costs a tenth of our start
    defer("importlib.metadata", "entry_points")
    for name in ("ast", "difflib", "locale", "pickle", "urllib.request"):
        defer(name)
    from pimqtt_agent import run  # noqa: PLC0415

    return run.main(options) if command == "run" else run.agent_main(options)


if __name__ == "__main__":
    sys.exit(main())
