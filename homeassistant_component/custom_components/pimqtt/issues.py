"""What needs attention, as repairs: raised when it is so, and taken back when it is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.loader import async_get_loaded_integration
from homeassistant.util import dt as dt_util

from .const import DOMAIN, PROTOCOL, TROUBLESHOOTING
from .fleet import SIGNAL_NODE, Fleet
from .model import Info
from .nodes import Node

#: A node that was away for so long needs attention.
GONE_AFTER: Final = timedelta(hours=24)
LOOK_EVERY: Final = timedelta(minutes=15)
#: A picture may have 1 MB; with its topic a broker must take so much (bytes).
PACKET_BYTES: Final = 1_100_000
NODE_GONE: Final = "node_gone"


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that needs attention."""

    key: str
    placeholders: dict[str, str] = field(default_factory=dict)
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING
    fixable: bool = False


@callback
def async_watch(hass: HomeAssistant, fleet: Fleet) -> list[Callable[[], None]]:
    """Follow every node; return what ends that and takes the repairs back."""
    raised: dict[str, set[str]] = {}

    @callback
    def look(name: str) -> None:
        node, now = fleet.nodes.get(name), dt_util.utcnow()
        found = {f"{one.key}_{name}": one for one in issues_of(fleet, node, now)} if node else {}
        for issue_id in raised.pop(name, set()) - set(found):
            ir.async_delete_issue(hass, DOMAIN, issue_id)
        if found:
            raised[name] = set(found)
        for issue_id, issue in found.items():
            _raise(hass, issue_id, issue, name)

    @callback
    def look_at_all(_now: datetime | None = None) -> None:
        for name in {*fleet.nodes, *raised}:
            look(name)

    @callback
    def end() -> None:
        for issue_id in {one for ids in raised.values() for one in ids}:
            ir.async_delete_issue(hass, DOMAIN, issue_id)

    return [
        async_dispatcher_connect(hass, SIGNAL_NODE, look),
        async_track_time_interval(hass, look_at_all, LOOK_EVERY),
        end,
    ]


def issues_of(fleet: Fleet, node: Node, now: datetime) -> Iterator[Issue]:
    """Say what is wrong with a node. Pure."""
    about = {"node": node.id, "name": node.name}
    if node.unreadable:
        yield Issue("info_unreadable", {**about, "reason": node.unreadable})
    if node.info is not None and node.online:
        yield from _of_protocol(node.info, about)
        yield from _of_identity(fleet, node, node.info, about, now)
        yield from health_of(node)
        if node.info.problem:
            yield Issue("agent_problem", {**about, "problem": node.info.problem})
    elif node.shown and fleet.connected and node.since is not None and now - node.since >= GONE_AFTER:
        since = f"{dt_util.as_local(node.since):%Y-%m-%d %H:%M}"
        yield Issue(NODE_GONE, {**about, "since": since}, fixable=True)


def _of_protocol(info: Info, about: dict[str, str]) -> Iterator[Issue]:
    if info.protocol != PROTOCOL:
        key = "protocol_old" if info.protocol < PROTOCOL else "protocol_new"
        versions = {"theirs": str(info.protocol), "ours": str(PROTOCOL), "version": info.version or "?"}
        yield Issue(key, {**about, **versions}, ir.IssueSeverity.ERROR)


def _of_identity(fleet: Fleet, node: Node, info: Info, about: dict[str, str], now: datetime) -> Iterator[Issue]:
    others = sorted(one.id for one in fleet.by_identity(info.identity) if one is not node and one.online)
    if others:
        yield Issue("same_board", {**about, "others": ", ".join(others)}, ir.IssueSeverity.ERROR)
    boards = node.boards_at(now)
    if len(boards) > 1:
        yield Issue("two_agents", {**about, "boards": ", ".join(sorted(boards))}, ir.IssueSeverity.ERROR)


def health_of(node: Node) -> Iterator[Issue]:
    """Say what is wrong with the health of a node, as cards show it, too. Pure."""
    info, about = node.info, {"node": node.id, "name": node.name}
    if info is None or not node.online:
        return
    if node.under_voltage or info.under_voltage:
        yield Issue("under_voltage", about)
    if info.clock_synchronised is False:
        yield Issue("clock_unsynchronised", about)
    if node.clock_behind:
        yield Issue("clock_behind", {**about, "seconds": f"{node.behind_s:.0f}"})
    if info.max_packet_size is not None and info.max_packet_size < PACKET_BYTES:
        sizes = {"size": f"{info.max_packet_size:,}", "needed": f"{PACKET_BYTES:,}"}
        yield Issue("packet_size", {**about, **sizes})
    if info.denied:
        yield Issue("denied", {**about, "topics": ", ".join(info.denied[:5])})


def _raise(hass: HomeAssistant, issue_id: str, issue: Issue, node: str) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=issue.fixable,
        severity=issue.severity,
        translation_key=issue.key,
        translation_placeholders=issue.placeholders,
        learn_more_url=f"{async_get_loaded_integration(hass, DOMAIN).documentation}{TROUBLESHOOTING}",
        data={"node": node, "name": issue.placeholders["name"]},
    )
