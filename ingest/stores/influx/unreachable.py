"""Why a server gives no answer at all: the rest of a sentence about it, with what its owner can do."""

import errno
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from ingest.language import N_, Text

PORTS = {"http": 80, "https": 443}
"""Those that hold where an address names none."""

_NOT_TODAY = {9, 10}
"""What OpenSSL calls a certificate that is not valid yet, or no more (X509_V_ERR_, x509_vfy.h)."""

_OTHER_NAME = {62, 64}
"""And one of another host name or address."""


def why_unreachable(error: Exception, url: str) -> Text:
    """What went wrong on the way to a server, as what follows its name."""
    from urllib3.exceptions import (
        ConnectTimeoutError,
        NameResolutionError,
        NewConnectionError,
        ProtocolError,
        ReadTimeoutError,
    )

    chain = list(_chain(error))
    if any(isinstance(e, ssl.SSLError) for e in chain):
        return why_untrusted(error)
    not_known = N_(
        "is not known by that name; write it as url below [influx] as other devices in this network do"
    )
    not_there = N_("does not answer at that address; see that it is switched on, and in this network")
    broken = N_("broke off the connection")
    whys: dict[type[Exception], str] = {
        ReadTimeoutError: N_("does not answer in time"),
        NameResolutionError: not_known,
        socket.gaierror: not_known,
        ConnectTimeoutError: not_there,
        ProtocolError: broken,
        BrokenPipeError: broken,
        ConnectionResetError: broken,
    }
    # urllib3 takes each connection that fails for one that timed out, too.
    if isinstance(error, NewConnectionError) and not isinstance(error, NameResolutionError):
        return _why_no_connection(chain, urlsplit(url))
    for kind, why in whys.items():
        if isinstance(error, kind):
            return Text(why)
    return Text(N_("cannot be asked ({error})"), error=type(error).__name__)


def why_untrusted(error: BaseException) -> Text:
    """The same where TLS did not come about."""
    wrong = next((e for e in _chain(error) if isinstance(e, ssl.SSLCertVerificationError)), None)
    if wrong is None:
        return Text(N_("does not speak TLS as this computer does; write http:// if it has no certificate"))
    if wrong.verify_code in _NOT_TODAY:
        return Text(
            N_(
                "has a certificate that does not hold today; renew it, or see that the clock of this computer is right"
            )
        )
    if wrong.verify_code in _OTHER_NAME:
        return Text(N_("has a certificate of another name; write that one as url below [influx]"))
    return Text(
        N_(
            "has a certificate that nobody has signed whom this computer trusts; put the one it is signed with into"
            " /usr/local/share/ca-certificates, with .crt at the end of its name, and run sudo update-ca-certificates"
        )
    )


def _why_no_connection(chain: list[BaseException], url: SplitResult) -> Text:
    codes = {e.errno for e in chain if isinstance(e, OSError)}
    if codes & {errno.EPERM, errno.EACCES}:
        return Text(
            N_(
                "may not be reached from here; the unit lets hartslag reach private networks only, and its comment says how"
                " to allow another address"
            )
        )
    if errno.ECONNREFUSED not in codes:
        return Text(N_("cannot be reached"))
    if url.port is None:
        return Text(
            N_(
                "cannot be reached, as nothing listens at port {port}, which holds where the url names none; InfluxDB has"
                " :8086 at its end, VictoriaMetrics :8428"
            ),
            port=PORTS[url.scheme],
        )
    return Text(
        N_("cannot be reached, as nothing listens at its port {port}; see that it runs"), port=url.port
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that it is wrapped around, however that was done."""
    seen: set[int] = set()
    left = [error]
    while left:
        one = left.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        left += [*(a for a in one.args if isinstance(a, BaseException)), one.__cause__, one.__context__]
