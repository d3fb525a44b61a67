"""One server at the other end of the wire: what is said to it, and what its answers mean.

influxdb-client posts (https://influxdb-client.readthedocs.io); its own retries stay off, because their deadline counts
from when the client was made, and its batches live in memory and are dropped in the end.
"""

import contextlib
import gzip
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from ingest.errors import TryLater
from ingest.settings.model import Influx

CONNECT_S, ANSWER_S = 5.0, 15.0
"""How long to wait for a connection and for an answer; a daemon that is told to end waits no longer than that."""

PATIENCE_S = 20.0
"""The same for each part of what takes a server longer: still less than systemd gives the daemon to end."""

LONGEST_WORDS = 300
"""Characters of a server's own words that are shown and kept."""

LARGEST_ANSWER = 8 << 20
"""Bytes of an answer that are read at once; what would be larger is asked for in parts."""

CREDENTIAL, VARIABLE = "influx-token", "HARTSLAG_INFLUX_TOKEN"
"""Where a token is looked for when the settings name no file: a systemd credential, the environment."""


class Away(TryLater):
    """The server cannot take anything now; `after_s` is how long it asks to be left alone."""

    def __init__(self, text: str, after_s: float | None = None) -> None:
        super().__init__(text)
        self.after_s = after_s


class TooLarge(Exception):  # noqa: N818 - named by what it says of the body
    """The body is more than the server takes at once."""

    def __str__(self) -> str:
        return "that is too large"


class Refused(Exception):  # noqa: N818
    """The server will not have this body or something in it; the text is what it says of that."""


class TooMuch(Exception):  # noqa: N818
    """The answer is longer than what is read at once."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def words(self) -> str:
        return " ".join(self.body[: 4 * LONGEST_WORDS].decode("utf-8", "replace").split())[:LONGEST_WORDS]


@contextlib.contextmanager
def understood(url: str) -> Iterator[None]:
    """An answer that is not of the shape that was asked for is that of another service, or of one in trouble."""
    try:
        yield
    except Refused as e:
        raise Away(f"The server at {url} cannot say what it holds; it is asked again. It says: {e}") from e
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as e:
        raise Away(
            f"What answers at {url} does not speak like the database that it was. What it misses is kept and sent"
            " when it does."
        ) from e


class Wire:
    """A connection that is made when first needed, made anew when the server comes back, and belongs to one thread."""

    def __init__(self, influx: Influx, environ: Mapping[str, str] = os.environ) -> None:
        self._influx, self._environ = influx, environ
        self.url = influx.url
        self._client: Any = None
        self._token = ""
        self._pack = not _is_here(urlsplit(influx.url).hostname or "")

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    @property
    def connections(self) -> int:
        """How many connections were made so far: one more than before means that the server may have been away."""
        if self._client is None:
            return 0
        pools = self._client.api_client.rest_client.pool_manager.pools
        return sum(pools[key].num_connections for key in pools.keys())  # noqa: SIM118 - not a mapping

    # --- what is said ---

    def post(self, body: bytes, unit: str) -> None:
        """Have lines written; returns only after the server's true yes.

        Raises Away, TooLarge or Refused.
        """
        service = self._open().writing
        more: dict[str, Any] = {}
        if self._pack and len(body) > 1000:
            body, more = gzip.compress(body, 1), {"content_encoding": "gzip"}
        answer = self._told(
            lambda: service.post_write_with_http_info(
                org=self._influx.org,
                bucket=self._influx.bucket,
                body=body,
                precision=unit,
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=(CONNECT_S * 1000, ANSWER_S * 1000),
                **more,
            ),
            sending=len(body),
        )
        if answer.status == 204:
            return
        if answer.status == 413:
            raise TooLarge
        if answer.status in {400, 422}:
            raise Refused(self._scrubbed(answer.words) or f"status {answer.status}, without a word")
        raise self.trouble(answer)

    def ask(
        self,
        method: str,
        path: str,
        fields: Mapping[str, str] | None = None,
        *,
        json: Any = None,
        patience_s: float = ANSWER_S,
        base: str | None = None,
    ) -> Answer:
        """Any other request; gives the answer whatever its status is.

        Raises Away when there is no answer, TooMuch when it is longer than is read at once.
        """
        import urllib3

        client = self._open().api_client
        url = (base or self.url) + path
        more: dict[str, Any] = {"headers": dict(client.default_headers)}
        if json is not None:
            more["json"] = json
        elif fields and method == "POST":
            more["body"] = urlencode(fields)
            more["headers"]["Content-Type"] = "application/x-www-form-urlencoded"
        elif fields:
            url += "?" + urlencode(fields)
        timeout = urllib3.Timeout(connect=CONNECT_S, read=patience_s)
        pool = client.rest_client.pool_manager
        return self._told(
            lambda: pool.request(method, url, preload_content=False, timeout=timeout, retries=False, **more)
        )

    def trouble(self, answer: Answer) -> Away:
        """What an answer that is neither a yes nor about single lines means for the owner."""
        words = f" It says: {self._scrubbed(answer.words)}" if answer.words else ""
        at, status = f"The server at {self.url}", answer.status
        if status in {401, 403}:
            where = self._influx.token_file or f"the credential {CREDENTIAL} or the environment's {VARIABLE}"
            return Away(
                f"{at} does not accept the token (status {status}). Put a token that may read and write the bucket"
                f" {self._influx.bucket!r} into {where}; it is read again by itself.{words}"
            )
        if status == 404:
            return Away(
                f"{at} knows no bucket {self._influx.bucket!r} of {self._influx.org!r}, or takes no writing at this"
                f" address (status 404). Create the bucket (InfluxDB 1: the database), or correct url, org and"
                f" bucket below [influx].{words}"
            )
        if 200 <= status < 400:
            return Away(
                f"{at} answered with status {status}, as no database does that has written something: is this another"
                " service, or a network that wants you to log in first? Correct url below [influx]."
            )
        after = _after_s(answer.headers.get("Retry-After"))
        return Away(
            f"{at} cannot write now (status {status}); what it misses is kept and sent again.{words}", after
        )

    # --- within ---

    def _open(self) -> Any:
        if self._client is None:
            self._token = self._found_token()
            import influxdb_client

            made: Any = influxdb_client
            self._client = made.InfluxDBClient(
                url=self._influx.url, token=self._token, org=self._influx.org, retries=False
            )
            self._client.writing = made.WriteService(self._client.api_client)
        return self._client

    def _found_token(self) -> str:
        file = self._influx.token_file
        folder = self._environ.get("CREDENTIALS_DIRECTORY")
        if file is None and folder and (Path(folder) / CREDENTIAL).exists():
            file = Path(folder) / CREDENTIAL
        if file is None:
            return _one_word(self._environ.get(VARIABLE, ""), self.url, f"the environment's {VARIABLE}")
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as e:
            raise _no_token(self.url, str(file), getattr(e, "strerror", None) or "it is no text") from e
        return _one_word(text, self.url, str(file))

    def _untrusted(self, why: str) -> Away:
        """TLS did not come about: the only thing that has no answer."""
        return Away(f"The server at {self.url} cannot be trusted: {' '.join(why.split())}")

    def _scrubbed(self, words: str) -> str:
        return words.replace(self._token, "(token)") if self._token else words

    def _told(self, request: Any, sending: int = 0) -> Answer:
        from influxdb_client.rest import ApiException
        from urllib3.exceptions import (
            HTTPError,
            NameResolutionError,
            NewConnectionError,
            ProtocolError,
            ReadTimeoutError,
            SSLError,
        )

        response = None
        try:
            try:
                response = request()
                body = response.read(LARGEST_ANSWER + 1)
            except ApiException as e:
                if e.headers is None:
                    raise self._untrusted(str(e.reason)) from e
                response, body = e.response, e.body or b""
            answer = Answer(response.status, dict(response.headers.items()), body)
        except (HTTPError, OSError) as e:
            self.close()
            broken = isinstance(e, (ProtocolError, BrokenPipeError, ConnectionResetError))
            if broken and sending > 100_000 and _was_broken(e):
                # This is how a server says that a body is too large when it does not want to read all of it.
                raise TooLarge from e
            what = (
                "does not answer in time"
                if isinstance(e, ReadTimeoutError)
                else "is not known by that name"
                if isinstance(e, (NameResolutionError, socket.gaierror))
                else "cannot be reached"
                if isinstance(e, NewConnectionError)
                else "does not speak TLS, or its certificate is not trusted (write http:// if it has none)"
                if isinstance(e, SSLError)
                else "broke off the connection"
                if broken
                else f"cannot be asked ({type(e).__name__})"
            )
            raise Away(
                f"The server at {self.url} {what}; what it misses is kept and sent when it is back."
            ) from e
        finally:
            if response is not None:
                with contextlib.suppress(Exception):
                    response.release_conn()
        if answer.status in {401, 403}:
            self.close()  # the token is read anew
        if len(body) > LARGEST_ANSWER:
            self.close()  # rather than to read on to its end
            raise TooMuch
        return answer


def _one_word(text: str, url: str, where: str) -> str:
    """A token as it may stand in a header: whatever else were in there would end up in somebody's error message."""
    token = text.strip()
    if not re.fullmatch(r"[!-~]*", token):
        raise _no_token(url, where, "it holds more than a token")
    return token


def _no_token(url: str, where: str, why: str) -> Away:
    return Away(
        f"The token for the server at {url} cannot be taken from {where}: {why}. Put the token there, alone, and let the"
        " user hartslag read it."
    )


def _was_broken(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, (BrokenPipeError, ConnectionResetError)):
            return True
        inner = next((a for a in error.args if isinstance(a, BaseException)), None)
        error = inner or error.__cause__
    return False


def _is_here(host: str) -> bool:
    """Whether packing would only cost time: on this machine nothing is saved by it."""
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return False


def _after_s(header: str | None) -> float | None:
    """How long a server asks to be left alone, in seconds or until a moment (RFC 9110, 10.2.3)."""
    if not header:
        return None
    with contextlib.suppress(ValueError):
        return max(float(header), 0.0)
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return max(parsedate_to_datetime(header).timestamp() - time.time(), 0.0)
    return None
