"""pimqtt: a Raspberry Pi as a safe citizen of Home Assistant over MQTT."""

__version__ = "0.1.0"
#: the version of topics and payloads, told in ``info``
PROTOCOL = 1
