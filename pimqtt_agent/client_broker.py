"""Where a broker is, how to log in there, and what it means when that fails."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from pimqtt_agent.errors import BrokerError

if TYPE_CHECKING:
    from pimqtt_agent.settings import MqttOptions

#: What aiomqtt says where no CONNACK came.
NO_CONNACK = "Operation timed out"
_LOGIN = frozenset({4, 5, 134, 135})


@dataclass(frozen=True, kw_only=True)
class Broker:
    """Where a broker is, and how to log in."""

    host: str = "127.0.0.1"
    port: int = 1883
    user: str | None = None
    password: str | None = None
    tls: bool = False
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    insecure: bool = False
    transport: Literal["tcp", "websockets"] = "tcp"
    path: str = "/mqtt"
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    base: str = "pimqtt"
    discovery_prefix: str = "homeassistant"

    def __str__(self) -> str:
        """``host:port``."""
        return f"{self.host}:{self.port}"

    @classmethod
    def of(cls, options: MqttOptions) -> Self:
        """Take what a configuration says."""
        tls = options.tls
        return cls(
            host=options.host, port=options.port_number, user=options.user,
            password=options.password.get_secret_value() if options.password else None,
            tls=tls is not None, ca=tls.ca if tls else None, cert=tls.cert if tls else None,
            key=tls.key if tls else None, insecure=bool(tls and tls.insecure), transport=options.transport,
            path=options.path, protocol=options.protocol, base=options.base, discovery_prefix=options.discovery_prefix,
        )  # fmt: skip


def tls_context(broker: Broker) -> ssl.SSLContext | None:
    """Return how to encrypt; raises ``BrokerError``."""
    if not broker.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=broker.ca)
        if broker.cert:
            context.load_cert_chain(broker.cert, broker.key)
    except OSError as error:
        name = broker.ca if broker.cert is None else f"{broker.ca or 'the system'}, {broker.cert}, {broker.key}"
        raise BrokerError(f"TLS: {error.strerror or error} ({name})") from None
    if broker.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def trouble(broker: Broker, error: Exception, code: int) -> str:
    """Say in plain words why there is no connection; ``code`` is the broker's reason code, 0 for none."""
    cause = error.__context__
    if code in _LOGIN:
        who = f"the login of {broker.user!r}" if broker.user else "a connection without a login"
        return f"broker {broker} refuses {who}"
    if isinstance(cause, socket.gaierror):
        return f"broker {broker}: there is no host {broker.host!r} ({cause.strerror})"
    if isinstance(cause, ssl.SSLError):
        return f"broker {broker}: TLS failed ({getattr(cause, 'verify_message', '') or cause.reason or cause})"
    if str(error) == NO_CONNACK:
        return f"what listens at {broker} does not answer as an MQTT broker" + ("" if broker.tls else "; is it TLS?")
    if isinstance(cause, OSError):
        return f"broker {broker} can't be reached: {cause.strerror or cause}"
    return f"broker {broker} refuses us: {error}"
