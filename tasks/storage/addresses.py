"""Which addresses are of the public internet: a list of our own, since interpreters differ.

From IANA's registries of special-purpose addresses, IPv4 and IPv6 (RFC 6890 and what has updated it). What stands for
an IPv4 address, in a translation or a tunnel, is public only where that is.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

NOT_PUBLIC = [
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private use
        "100.64.0.0/10",  # shared with a provider
        "127.0.0.0/8",  # this machine
        "169.254.0.0/16",  # the link, and a cloud's metadata
        "172.16.0.0/12",  # private use
        "192.0.0.0/24",  # protocol assignments, and a cloud's metadata
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4, given up
        "192.168.0.0/16",  # private use
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
]
GLOBAL_UNICAST = IPv6Network("2000::/3")  # all that is given out; the rest is local, multicast or reserved
NOT_PUBLIC_WITHIN = [
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, identifiers
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
    )
]
# Translations and tunnels, with the byte at which the IPv4 address begins that they stand for.
STANDING_FOR = {
    IPv6Network("::ffff:0:0/96"): 12,  # IPv4-mapped
    IPv6Network("64:ff9b::/96"): 12,  # NAT64
    IPv6Network("2002::/16"): 2,  # 6to4
}
ISATAP = (bytes.fromhex("00005efe"), bytes.fromhex("02005efe"))  # before an IPv4 address, at the end


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet: not of this machine, its network, or its cloud's metadata."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return _is_public_4(address) if isinstance(address, IPv4Address) else _is_public_6(address)


def _is_public_4(address: IPv4Address) -> bool:
    return not any(address in network for network in NOT_PUBLIC)


def _is_public_6(address: IPv6Address) -> bool:
    for network, start in STANDING_FOR.items():
        if address in network:
            return _is_public_4(IPv4Address(address.packed[start : start + 4]))
    if address.packed[8:12] in ISATAP and not _is_public_4(IPv4Address(address.packed[12:])):
        return False
    return address in GLOBAL_UNICAST and not any(address in network for network in NOT_PUBLIC_WITHIN)
