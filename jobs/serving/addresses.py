"""Client address and host of a request: X-Forwarded-For from trusted proxies, and Host headers."""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
HOST = re.compile(r"(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
USUAL_PORTS = {"http": ":80", "https": ":443"}
NEIGHBOURS = 64
"""A client usually has all IPv6 addresses with the same prefix of this length."""


def client_address(peer: str, forwarded: Iterable[str], trusted: Sequence[Network]) -> str:
    """The nearest address that is no trusted proxy's; X-Forwarded-For from an untrusted one is ignored."""
    address, hops = peer, ",".join(forwarded).split(",")
    while hops and _is_within(address, trusted):
        before = _parsed(hops.pop())
        if before is None:
            break
        address = str(before)
    return address


def place_of(address: str) -> str:
    """The unit by which failed logins are counted: the address, or the network of an IPv6 address."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, NEIGHBOURS), strict=False))
    return address


def is_host(header: str) -> bool:
    """Whether a Host header is a name or an address with an optional port, and nothing else."""
    return HOST.fullmatch(header) is not None


def is_host_of(header: str, url: str) -> bool:
    """Whether a Host header names the server of a URL; its scheme's own port may be left out."""
    parts = urlsplit(url)
    usual = USUAL_PORTS.get(parts.scheme, "")
    return header.lower().removesuffix(usual) == parts.netloc.lower().removesuffix(usual)


def _is_within(address: str, networks: Sequence[Network]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in networks)


def _parsed(text: str) -> Address | None:
    """The address, also of an IPv4 address that is written as an IPv6 one; None where it is none."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
