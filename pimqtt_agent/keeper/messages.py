"""What crosses the link: validated plain values, nothing else."""

from __future__ import annotations

from typing import Any

import msgspec

#: Raised when a message changes its meaning; the newer side then replaces the older.
VERSION = 3
#: A command that waited longer than this, in the agent or on the link, is refused, stops excepted (s).
OLDEST_S = 0.25
#: What a line is told by, in this order; the level is physical: 1 is high, of PWM it is the duty.
PIN = ("line", "device", "role", "mode", "level")


class Message(msgspec.Struct, gc=False, array_like=True):
    """What crosses the link."""


class Hello(Message, tag=1):
    """Agent: I am here; tell me everything. ``devices`` is the keeper's part of my configuration."""

    version: int
    session: int
    devices: list[dict[str, Any]]


class Do(Message, tag=2):
    """Agent: do a command, validated and with its TTL resolved."""

    seq: int
    device: str
    key: str
    value: Any
    ttl_s: float | None
    stop: bool
    owner: str
    priority: int
    id: str | None
    token: str | None
    stale: str
    at_s: float
    transition_s: float | None
    tell: bool


class Press(Message, tag=3):
    """Agent: press a button."""

    seq: int
    device: str
    key: str
    at_s: float


class Latch(Message, tag=4):
    """Agent: set or reset an emergency stop; ``device`` empty means the node."""

    seq: int
    device: str
    on: bool


class Proof(Message, tag=5):
    """Agent: the last proofs of life of the broker and of Home Assistant (s, CLOCK_BOOTTIME); whether that is lost."""

    broker_s: float
    home_assistant_s: float
    home_assistant_lost: bool = False


class Heartbeat(Message, tag=6):
    """Agent: an owner is alive."""

    owner: str
    at_s: float


class Token(Message, tag=7):
    """Agent: give a token for an output."""

    seq: int
    device: str
    key: str


class Simulate(Message, tag=8):
    """Agent: set an input of the simulated chip."""

    seq: int
    line: int
    level: int


class Refused(Message, tag=9):
    """Agent: an owner's command to an output was refused here; it has not let go by that, or must (``barred``)."""

    device: str
    key: str
    owner: str
    barred: bool = False


class Pins(Message, tag=10):
    """Agent: tell the level of every line; the answer's ``extra`` has ``pins``, rows of ``PIN``."""

    seq: int


class Welcome(Message, tag=20):
    """Keeper: the answer to ``Hello``; every state follows, then what happens.

    ``home_assistant_lost`` is what the last agent said of it.
    """

    version: int
    session: int
    reopened: list[str]
    home_assistant_lost: bool = False


class Answer(Message, tag=21):
    """Keeper: what became of a command. ``code`` empty: accepted."""

    seq: int
    code: str
    reason: str
    state: Any
    ttl_s: float | None
    holder: str | None
    token: str | None
    extra: dict[str, Any] | None


class Pending(Message, tag=22):
    """Keeper: the command waits for a dead time; its answer follows."""

    seq: int


class State(Message, tag=23):
    """Keeper: an entity's true state."""

    device: str
    key: str
    value: Any


class Held(Message, tag=24):
    """Keeper: an output's lease (``owner`` None: none) and its resting value."""

    device: str
    key: str
    owner: str | None
    id: str | None
    value: Any
    resting: Any
    deadline_s: float


class Reverted(Message, tag=25):
    """Keeper: an output went back by itself."""

    device: str
    key: str
    id: str | None
    owner: str | None
    cause: str
    value: Any
    state: Any


class Latched(Message, tag=26):
    """Keeper: an emergency stop is set or not; ``device`` empty means the node."""

    device: str
    on: bool


class Happened(Message, tag=27):
    """Keeper: an event of an entity."""

    device: str
    key: str
    event: dict[str, Any]


class Health(Message, tag=28):
    """Keeper: a device works or does not."""

    device: str
    ok: bool
    reason: str


class Blob(Message, tag=29):
    """Keeper: a picture; its bytes are in the descriptor that comes with it."""

    device: str
    key: str
    size: int


class Beat(Message, tag=30):
    """Either side: I am alive."""


class Bye(Message, tag=31):
    """Keeper: I have put the pins where they end and go. ``replace``: a new keeper is wanted at once."""

    reason: str


AnyMessage = (
    Hello | Do | Press | Latch | Proof | Heartbeat | Token | Simulate | Refused | Pins | Welcome | Answer | Pending
    | State | Held | Reverted | Latched | Happened | Health | Blob | Beat | Bye
)  # fmt: skip
encode = msgspec.msgpack.Encoder().encode
decode_many = msgspec.msgpack.Decoder(list[AnyMessage]).decode
decode = msgspec.msgpack.Decoder(AnyMessage).decode
