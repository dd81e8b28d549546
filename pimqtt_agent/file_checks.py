"""Whether the files and folders that a configuration names can be used: on this machine, now, by who asks."""

from __future__ import annotations

import os
import pwd
import ssl
import stat
from pathlib import Path as FilePath

from pimqtt_agent.mistakes import Mistakes, Path, show
from pimqtt_agent.yaml_source import Node

_TLS = ("mqtt", "tls")
_TRACE = ("hardware", "trace")
_STATE = ("state_dir",)


def check_trace(root: Node, mistakes: Mistakes) -> None:
    """Tell a trace that can't be begun: its folder is not there, and nobody would make it."""
    if (node := _named(root, _TRACE)) is None:
        return
    file = _place(node, mistakes)
    folder, itself = _is_folder(file.parent), _is_folder(file)
    if folder is None:
        trouble = f"there is no folder {file.parent}; make it first"
    elif folder is False:
        trouble = f"{file.parent} is no folder"
    elif itself is True:
        trouble = "it is a folder; a file's name is needed"
    elif isinstance(folder, str) or isinstance(itself, str):
        trouble = str(itself)
    else:
        return
    mistakes.add(node, _TRACE, f"{show(node, _TRACE)} can't be written: {trouble}")


def check_files(root: Node, mistakes: Mistakes) -> None:
    """Tell the certificates, keys and folders that can't be used."""
    _tls(root, mistakes)
    if (node := _named(root, _STATE)) and (trouble := _not_writable(_place(node, mistakes))):
        mistakes.add(node, _STATE, f"{show(node, _STATE)} can't be used: {trouble}")
    if (node := _named(root, _TRACE)) and _is_folder((file := _place(node, mistakes)).parent) is True:
        place = file.parent if _is_folder(file) is None else file
        if not os.access(place, os.W_OK, effective_ids=True):
            mistakes.add(node, _TRACE, f"{show(node, _TRACE)} can't be written: {place} is not {_user()}'s to write")


def _named(root: Node, path: Path) -> Node | None:
    """Find what stands at a path, if it is a text that can name a file."""
    node = root.at(path)
    return node if node is not None and isinstance(node.data, str) and node.data and "\0" not in node.data else None


def _place(node: Node, mistakes: Mistakes) -> FilePath:
    return FilePath(mistakes.folder, os.path.expanduser(str(node.data)))  # noqa: PTH111 - pathlib's raises for ~nobody


def _is_folder(place: FilePath) -> bool | str | None:
    """Tell whether a place is a folder: None where nothing is there, else why that can't be told."""
    try:
        return stat.S_ISDIR(place.stat().st_mode)
    except FileNotFoundError:
        return None
    except OSError as error:
        return _words(error)


def _tls(root: Node, mistakes: Mistakes) -> None:
    usable: dict[str, tuple[Node, str]] = {}
    for key in ("ca", "cert", "key"):
        if (node := _named(root, (*_TLS, key))) is None:
            continue
        file = str(_place(node, mistakes))
        if trouble := _unreadable(file) or ("" if key == "key" else _no_certificate(file)):
            mistakes.add(node, (*_TLS, key), f"{show(node, (*_TLS, key))} {trouble}")
        else:
            usable[key] = node, file
    if "cert" in usable and ("key" in usable or _named(root, (*_TLS, "key")) is None):
        _pair(usable, mistakes)


def _pair(usable: dict[str, tuple[Node, str]], mistakes: Mistakes) -> None:
    (cert, cert_file), (key, key_file) = usable["cert"], usable.get("key", (None, None))
    node, name = (cert, "cert") if key is None else (key, "key")
    if trouble := _no_key(cert_file, key_file):
        mend = "; name its file in mqtt.tls.key" if key is None and "holds no" in trouble else ""
        mistakes.add(node, (*_TLS, name), f"{show(node, (*_TLS, name))} {trouble}{mend}")


def _unreadable(file: str) -> str:
    """Tell why a file can't be read; empty where it can."""
    is_folder = _is_folder(FilePath(file))
    if is_folder is None:
        return f"is not there ({file})"
    if is_folder is True:
        return "is a folder; a file is needed"
    try:
        with FilePath(file).open("rb") as opened:
            opened.read(1)
    except OSError as error:
        return f"can't be read by {_user()}: {_words(error)}"
    return ""


def _no_certificate(file: str) -> str:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except ssl.SSLError:
        return "holds no certificate (in PEM form: -----BEGIN CERTIFICATE-----)"
    return ""


def _no_key(cert: str, key: str | None) -> str:
    """Tell why a client certificate can't be used with this key, or the one in its own file."""
    asked: list[bool] = []

    def passphrase() -> str:
        asked.append(True)
        return ""

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert, key, passphrase)
    except ssl.SSLError as error:
        if asked:
            return "is locked by a passphrase, which nobody could type; write it without one"
        if "MISMATCH" in (error.reason or ""):
            return f"is not the key of the certificate {cert}"
        return "holds no private key (in PEM form)"
    return ""


def _not_writable(folder: FilePath) -> str:
    """Tell why files can't be made in a folder, which is made itself where it is missing."""
    for place in (folder, *folder.parents):
        is_folder = _is_folder(place)
        if is_folder is None:
            continue
        if is_folder is not True:
            return f"{place}: {is_folder}" if is_folder else f"{place} is no folder"
        writable = os.access(place, os.W_OK | os.X_OK, effective_ids=True)
        return "" if writable else f"{place} is not {_user()}'s to write"
    return ""


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _user() -> str:
    """Name who asks."""
    try:
        return f"user {pwd.getpwuid(os.geteuid()).pw_name}"
    except KeyError:
        return f"user {os.geteuid()}"
