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
#: Where the documentation of the project is.
DOCS: Final = "https://github.com/pimqtt/pimqtt/blob/main/docs"
