"""Words of configurations, for mutations; a certificate and keys."""

from __future__ import annotations

WORDS = (
    "!include ",
    "!secret ",
    "${NAME}",
    "${NAME:-x}",
    "$${",
    "<<: *a",
    "&a ",
    "*a",
    "profiles:",
    "devices:",
    "node:",
    "hardware:",
    "mqtt:",
    "owners:",
    "system:",
    "state_dir:",
    "linger_s:",
    "kind: ",
    "switch",
    "light",
    "motor",
    "servo",
    "drive",
    "camera",
    "button",
    "binary_sensor",
    "{backend: kernel, chip: x}",
    "pin: ",
    "id: ",
    "ttl: {default: 1}",
    "null",
    "on",
    "off",
    "~",
    ".nan",
    ".inf",
    "-.inf",
    "1:30",
    "017",
    "0x1F",
    "0b1",
    "1_0",
    "1e400",
    "9" * 90,
    "\t",
    "- ",
    "---\n",
    "!!int ",
    "!!bool ",
    "!!binary ",
    "!x ",
    "'",
    '"',
    "|\n",
    ">-\n",
    "? ",
    "[",
    "]",
    "{",
    "}",
    "\x00",
    "\ufeff",
    "!profile live",
    "!env",
    "secrets.yaml",
    "other.yaml",
    "ca.crt",
    "tls: {ca: ca.crt}",
    "safe: on",
    "initial: last",
)
#: A certificate, its key, another's key, and that one locked by a passphrase: made for this and trusted by nobody.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBdjCCARugAwIBAgIUXUSlRK/uXCdiWjpQacCTyKZIgH0wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEZnV6ejAgFw0yNjExMjIwMDE3NDZaGA8yMTI2MTAyOTAwMTc0
NlowDzENMAsGA1UEAwwEZnV6ejBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOnH
uB309WkhLv1gKkSe6Q48wKsAC3ue6HCKsoHhjy/ehZUtNunxrYH6iQgbSXYzUyb3
f5lQnRkNa24A6DAUecmjUzBRMB0GA1UdDgQWBBT+B4qJjyEveTqv70oKXJLZnbW+
ajAfBgNVHSMEGDAWgBT+B4qJjyEveTqv70oKXJLZnbW+ajAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0kAMEYCIQCHKSpMsRPVGArfqZsQTrEKuNoJsVO5OIY+
/3OHU+4cbwIhANP+A3wYavdNZvRjX1CiFIbdPVIS2GR/X3js74xhxYMA
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgs3LfoHcVBQvdO/FC
vyf9882ntaYDkZ3LmWYE9zMLMJChRANCAATpx7gd9PVpIS79YCpEnukOPMCrAAt7
nuhwirKB4Y8v3oWVLTbp8a2B+okIG0l2M1Mm93+ZUJ0ZDWtuAOgwFHnJ
-----END PRIVATE KEY-----
"""
OTHER_KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLsJH84ZLbfYxJQbm
p0pUq02sjWpWgli0YPgSnLFub7ihRANCAAQlUpd1GAqhpeTA9bwoKLSaib51tPhP
ih4KIQacf97AEu10LMAg/lDkyh2Q8eDJcc3aX+iiWYOtWbAj2usfGlV8
-----END PRIVATE KEY-----
"""
LOCKED_KEY = """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAj1G/gOSD1g7AICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEBgt+JGmtIlRj/tvFfymvksEgZDB
H1lG/zQFg98uhbBsTptgfyHlDlVGcd6YLbucq4JWLTs4mf+WMDcDuneTwHf8vH4P
qyBmfyR5jR0ETJ+Ui5pQ/0mL8IBbIPVBMt2IESZDvICD1InvoWwCcM0L2yR1Sl+Z
ZEHYZIDZ0fuWFuq+vqmS5uJlTjVp+dpv//owNAEHYdNZJVKQQFkPzpbKY2y0ecs=
-----END ENCRYPTED PRIVATE KEY-----
"""
