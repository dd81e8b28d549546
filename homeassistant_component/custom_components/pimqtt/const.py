"""Names that more than one module needs."""

from __future__ import annotations

from typing import Final

DOMAIN: Final = "pimqtt"
DEFAULT_BASE: Final = "pimqtt"
CONF_BASE: Final = "base_topic"
CONF_SIDEBAR: Final = "sidebar"

#: The version of topics and payloads that this component speaks.
PROTOCOL: Final = 1
#: The owner of what automations and scripts command.
OWNER: Final = "Home Assistant"
#: The wire takes names of so many characters.
LONGEST_OWNER: Final = 64
#: Where each repair is explained, below the address of the documentation, which is the manifest's.
TROUBLESHOOTING: Final = "/blob/main/homeassistant_component/README.md#troubleshooting"
