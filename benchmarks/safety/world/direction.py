"""The two ways between a broker and an agent, as relay and network name them."""

from __future__ import annotations

from typing import Literal

Direction = Literal["to_agent", "to_broker"]
BOTH: tuple[Direction, ...] = ("to_agent", "to_broker")
