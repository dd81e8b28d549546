"""What the configuration fixes for an output, what is asked of it, and what the lease machine answers. Pure data."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from pimqtt_agent.lease import Output

Value = Any  # a plain value: bool, float, dict of these, or None ("stay where you are", bounded motion)

ANONYMOUS = "anonymous"
MIN_TTL_S = 0.05


class Motion(StrEnum):
    """What a value does while it lasts."""

    LEVEL = "level"
    CONTINUOUS = "continuous"
    BOUNDED = "bounded"


class Ttl(msgspec.Struct, frozen=True, kw_only=True):
    """The TTLs that an output takes, in seconds."""

    default: float | None = None
    min: float = MIN_TTL_S
    max: float | None = None
    required: bool = False


class OnDisconnect(msgspec.Struct, frozen=True, kw_only=True):
    """Where an output goes when its controller is lost: ``broker``, ``home_assistant`` or ``owner:NAME``."""

    after_s: float
    value: Value
    controller: str = "broker"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What stands above every lease; seconds. ``interlock`` names the group."""

    max_on_s: float | None = None
    min_off_s: float = 0.0
    interlock: str | None = None
    dead_time_s: float = 0.0


KEEP = "keep"
LAST = "last"


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration fixes for one output. ``off`` is the value that does not count as on.

    A ``setting`` (a speed limit) drives nothing by itself: no stop, latch or end changes it.
    """

    motion: Motion = Motion.LEVEL
    safe: Value = False
    off: Value = False
    initial: Value = False  # or LAST
    on_stop: Value = False  # or KEEP
    ttl: Ttl = Ttl()
    deadman_s: float = 0.5
    shared: bool = False
    token_required: bool = False
    on_disconnect: OnDisconnect | None = None
    arming_s: float | None = None
    limits: Limits = Limits()
    setting: bool = False

    def is_on(self, value: Value) -> bool:
        """Whether a value is one that limits count as on."""
        return bool(value != self.off and value is not None)


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A validated command: ``ttl_s`` None sets the resting value; ``stop`` is the safe value without a TTL."""

    value: Value
    ttl_s: float | None = None
    stop: bool = False
    owner: str = ANONYMOUS
    priority: int = 0
    id: str | None = None
    at_s: float = 0.0  # when it was received
    token_age_s: float | None = None  # None: it bears none
    stale: str = ""  # the reason, where `at` or `expiry` prove it
    transition_s: float | None = None  # how long the change may take; None: as configured
    reply: Any = None  # the shell's own mark, returned in answers


class Lease(msgspec.Struct, frozen=True):
    """A value held by an owner until a deadline."""

    value: Value
    owner: str
    priority: int
    id: str | None
    deadline_s: float


class Drive(msgspec.Struct, frozen=True):
    """Tell the driver; ``shaped`` allows a ramp or transition (commands only)."""

    output: Output
    value: Value
    shaped: bool = False
    transition_s: float | None = None


class Accepted(msgspec.Struct, frozen=True):
    """The command was done (said after the pin was driven)."""

    output: Output
    command: Command


class Waiting(msgspec.Struct, frozen=True):
    """The command waits for a dead time; its answer follows."""

    output: Output
    command: Command


class Rejected(msgspec.Struct, frozen=True):
    """The command was refused."""

    output: Output
    command: Command
    code: str
    reason: str
    extra: dict[str, Any] = msgspec.field(default_factory=dict)


class Reverted(msgspec.Struct, frozen=True):
    """The output went back to rest by itself or by another's stop; ``lease`` is the one that ended, if any."""

    output: Output
    lease: Lease | None
    cause: str


Action = Drive | Accepted | Waiting | Rejected | Reverted


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What outlives a keeper: the resting value, and since when the output is off or on (s; None: it is not).

    ``proof_s`` is its controller's last proof of life, where it has ``on_disconnect``.
    """

    resting: Value = None
    off_since_s: float | None = None
    on_since_s: float | None = None
    proof_s: float | None = None
    disconnected: bool = False
