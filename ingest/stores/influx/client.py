"""The HTTP client of one server: requests to it, and what its responses mean for the owner.

influxdb-client posts (https://influxdb-client.readthedocs.io); its own retries stay off, because their deadline counts
from when the client was made, and its batches live in memory and are dropped in the end.
"""

import contextlib
import gzip
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from ingest.errors import TryLater
from ingest.language import N_, Text, joined, system_words
from ingest.log import quoted
from ingest.settings.model import InfluxSettings
from ingest.stores.influx.bounded import LARGEST_BYTES, Answer, BoundedPool
from ingest.stores.influx.unreachable import why_unreachable, why_untrusted
from ingest.system.patience import always

CONNECT_TIMEOUT_S, RESPONSE_TIMEOUT_S = 5.0, 15.0
"""How long to wait for a connection and for an answer; a daemon that is told to end waits no longer than that."""

QUERY_TIMEOUT_S = 20.0
"""The same for each part of what takes a server longer: still less than systemd gives the daemon to end."""

WAIT_STEP_S = 0.2
"""Between two looks at whether the program is to end."""

MESSAGE_CHARACTERS = 300
"""Characters of a server's own words that are shown and kept."""

LEAST_BYTES_NESTED = 12
"""Of an answer, for each list and object in it: a row is a list, and its time alone is longer. What is but brackets would
take thirty times its size of memory."""

CREDENTIAL, VARIABLE = "influx-token", "HARTSLAG_INFLUX_TOKEN"
"""Where a token is looked for when the settings name no file: a systemd credential, the environment."""


_WHERE = f"{CREDENTIAL} (a credential of systemd) or {VARIABLE}"

_OF_NETWORKS = {407, 511}
"""What a network or a proxy says that wants somebody to log in (RFC 9110, 15.5.8; RFC 6585, 6)."""

_MARKUP = re.compile(r"<(style|script)\b.*?(</\1>|$)|<[^>]*(>|$)", re.DOTALL | re.IGNORECASE)

_NO_DATABASE = N_(
    "The server at {url} answered with status {status}, as no database does that has written something. Is this another"
    " service, or a network that wants you to log in first? Correct url below [influx]."
)


class Unavailable(TryLater):
    """The server cannot take anything now; `retry_after_s` is how long it asks to be left alone."""

    def __init__(self, text: str, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class BodyTooLarge(Exception):  # noqa: N818 - named by what it says of the body
    """The body is more than the server takes at once."""

    def __str__(self) -> str:
        return "that is too large"


class Refused(Exception):  # noqa: N818
    """The server will not have this body or something in it; the text is what it says of that."""


class ResponseTooLarge(Unavailable):
    """The response is longer than what is read at once; who asked for rows asks for them in parts."""


@dataclass(frozen=True, slots=True)
class Response:
    """What came back over HTTP, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def message(self) -> str:
        """The server's own words, on one line and cut short; of a page what can be read of it."""
        words = self.body[: 4 * MESSAGE_CHARACTERS].decode("utf-8", "replace")
        if words.lstrip().startswith("<"):
            words = _MARKUP.sub(" ", words)
        return " ".join(words.split())[:MESSAGE_CHARACTERS]

    def json(self) -> Any:
        """What it says in JSON. Raises ValueError where it is none that a database would send."""
        return _parse_json(self.body)

    def json_lines(self) -> list[Any]:
        """The same of an answer that is JSON line by line."""
        return [_parse_json(line) for line in self.body.splitlines()]


def _parse_json(body: bytes) -> Any:
    brackets = body.count(b"[") + body.count(b"{")
    if brackets * LEAST_BYTES_NESTED > len(body) + 1000:
        raise ValueError("it is little but brackets")
    try:
        return json.loads(body)
    except RecursionError as e:
        raise ValueError("it is nested too deeply") from e


@contextlib.contextmanager
def reading_response(url: str) -> Iterator[None]:
    """An answer that is not of the shape that was asked for is that of another service, or of one in trouble."""
    try:
        yield
    except Unavailable:
        raise
    except Refused as e:
        told = Text(N_("The server at {url} cannot say what it holds; it is asked again."), url=url)
        raise Unavailable(with_its_words(told, str(e))) from e
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError) as e:
        told = Text(
            N_(
                "What answers at {url} does not speak like the database that it was. What it misses is kept and sent when"
                " it does."
            ),
            url=url,
        )
        raise Unavailable(told) from e


def with_its_words(told: str, words: str) -> str:
    """A sentence about a server, and its own words behind it where it has some."""
    return joined([told, Text(N_("The server says: {words}"), words=words)], " ") if words else told


class ServerClient:
    """A connection that is made when first needed, made anew when the server comes back, and belongs to one thread."""

    def __init__(
        self,
        influx: InfluxSettings,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._influx, self._environ = influx, environ
        self.clock, self._sleep = clock, sleep
        self.going_on: Callable[[], bool] = always
        """Asked while an answer is waited for: a program that shall end does not wait for it."""
        self.url = influx.url
        self.wrote_at = -1e9
        """When lines were last written, by `clock`."""
        self._api: Any = None
        self._pool: Any = None
        self._token = ""
        self._compress = not _is_loopback(urlsplit(influx.url).hostname or "")

    def close(self) -> None:
        """End the connection; the next request makes another."""
        api, self._api = self._api, None
        if api is not None:
            api.close()

    def wait(self, seconds: float) -> None:
        """Let some time pass. Raises Unavailable when the program is to end."""
        until = self.clock() + seconds
        while (left := until - self.clock()) > 0:
            self._require_going_on()
            self._sleep(min(left, WAIT_STEP_S))

    def _is_going_on(self) -> bool:
        return self.going_on()  # whoever is asked by then

    def _require_going_on(self) -> None:
        if not self.going_on():
            kept = N_("What the server at {url} misses is kept, and sent at the next start.")
            raise Unavailable(Text(kept, url=self.url))

    def write_lines(self, body: bytes, precision: str) -> None:
        """Have lines written; returns only after the server's true yes.

        Raises Unavailable, BodyTooLarge or Refused.
        """
        service = self._open().writing
        more: dict[str, Any] = {}
        if self._compress and len(body) > 1000:
            body, more = gzip.compress(body, 1), {"content_encoding": "gzip"}
        try:
            response = self._send(
                lambda: service.post_write_with_http_info(
                    org=self._influx.org,
                    bucket=self._influx.bucket,
                    body=body,
                    precision=precision,
                    _preload_content=False,  # it is read already
                    _return_http_data_only=True,
                    _request_timeout=(CONNECT_TIMEOUT_S * 1000, RESPONSE_TIMEOUT_S * 1000),
                    **more,
                ),
                sending=len(body),
            )
        except ResponseTooLarge as e:
            raise Unavailable(e.text) from e  # nothing was asked for that could be asked for in parts
        self.wrote_at = self.clock()  # whatever it says: some of it may have been taken
        if response.status == 204:
            return
        if response.status == 413:
            raise BodyTooLarge
        if response.status in {400, 422}:
            raise Refused(self._redact_token(response.message) or f"status {response.status}")
        raise self.explain_failure(response)

    def request(
        self,
        method: str,
        path: str,
        fields: Mapping[str, str] | None = None,
        *,
        json: Any = None,
        timeout_s: float = RESPONSE_TIMEOUT_S,
        base: str | None = None,
    ) -> Response:
        """Any other request; gives the answer whatever its status is.

        Raises Unavailable when there is no answer, ResponseTooLarge when it is longer than is read at once.
        """
        import urllib3

        api_client = self._open().api_client
        url = (base or self.url) + path
        more: dict[str, Any] = {"headers": dict(api_client.default_headers)}
        if json is not None:
            more["json"] = json
        elif fields and method == "POST":
            more["body"] = urlencode(fields)
            more["headers"]["Content-Type"] = "application/x-www-form-urlencoded"
        elif fields:
            url += "?" + urlencode(fields)
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=timeout_s)
        return self._send(lambda: self._pool.request(method, url, timeout=timeout, retries=False, **more))

    def explain_failure(self, response: Response) -> Unavailable:
        """What an answer that is neither a yes nor about single lines means for the owner."""
        words, status = self._redact_token(response.message), response.status
        if status in {401, 403}:
            return Unavailable(with_its_words(self._explain_token(status), words))
        if "retention policy not found" in words:
            template = N_(
                "The server at {url} has no retention policy of the name that stands behind the / in the bucket {bucket}."
                " Create it there, or leave it out of bucket below [influx]."
            )
        elif status == 404 and "organization" in words:
            template = N_(
                "The server at {url} knows no organisation {org}, or not with this token (status 404). Correct org below"
                " [influx]."
            )
        elif status == 404:
            template = N_(
                "The server at {url} knows no bucket {bucket} of {org}, or takes no writing at this address (status 404)."
                " Create the bucket (InfluxDB 1: the database), or correct url, org and bucket below [influx]."
            )
        elif status == 400 and "HTTPS" in words:
            template = N_("The server at {url} speaks TLS. Write https:// in the url below [influx].")
        elif 300 <= status < 400 and (address := self._address_with_tls(response)):
            told = N_(
                'The server at {url} sends on to where it speaks TLS (status {status}). Write url = "{address}" below [influx].'
            )
            return Unavailable(Text(told, url=self.url, status=status, address=address))
        elif 200 <= status < 400 or status in _OF_NETWORKS:
            template, words = _NO_DATABASE, ""
        else:
            template = N_(
                "The server at {url} cannot write now (status {status}); what it misses is kept and sent again."
            )
        names = {"org": quoted(self._influx.org), "bucket": quoted(self._influx.bucket)}
        told = Text(template, url=self.url, status=status, **names)
        return Unavailable(
            with_its_words(told, words), _parse_retry_after(response.headers.get("Retry-After"))
        )

    def _address_with_tls(self, response: Response) -> str:
        """Our address as it is with https, where an answer says that this one is there; '' where it says something else."""
        told = next((v for k, v in response.headers.items() if k.lower() == "location"), "")
        ours = urlsplit(self.url)
        with contextlib.suppress(ValueError):
            there = urlsplit(told)
            if (there.scheme, there.hostname) == ("https", ours.hostname) and ours.scheme == "http":
                return f"https://{there.netloc.rpartition('@')[2]}{ours.path}"
        return ""

    def _explain_token(self, status: int) -> Text:
        """Why it lets us do nothing, or not this."""
        if not self._token and self._influx.token_file:
            template = N_(
                "The server at {url} wants a token (status {status}), and there is none in {where}. Put one that may read and"
                " write the bucket {bucket} there, alone; it is read again by itself."
            )
        elif not self._token:
            template = N_(
                "The server at {url} wants a token (status {status}), and none is given. Put one that may read and write the"
                " bucket {bucket} alone into a file that hartslag may read, and name that below [influx], like"
                ' token_file = "/etc/hartslag/token".'
            )
        elif status == 401:
            template = N_(
                "The server at {url} does not accept the token (status {status}). Put one that may read and write the bucket"
                " {bucket} into {where}; it is read again by itself."
            )
        else:
            template = N_(
                "The server at {url} does not let the token do this (status {status}). Put one that may read and write the"
                " bucket {bucket} into {where}; it is read again by itself."
            )
        where = str(self._influx.token_file or _WHERE)
        return Text(template, url=self.url, status=status, bucket=quoted(self._influx.bucket), where=where)

    # --- within ---

    def _open(self) -> Any:
        if self._api is None:
            self._token = self._read_token()
            import influxdb_client

            made: Any = influxdb_client
            self._api = made.InfluxDBClient(
                url=self._influx.url, token=self._token, org=self._influx.org, retries=False
            )
            self._api.writing = made.WriteService(self._api.api_client)
            rest = self._api.api_client.rest_client
            self._pool = rest.pool_manager = BoundedPool(rest.pool_manager, self._is_going_on)
        return self._api

    def _read_token(self) -> str:
        file = self._influx.token_file
        folder = self._environ.get("CREDENTIALS_DIRECTORY")
        if file is None and folder and (Path(folder) / CREDENTIAL).exists():
            file = Path(folder) / CREDENTIAL
        if file is None:
            return _check_token(self._environ.get(VARIABLE, ""), self.url, VARIABLE)
        try:
            text = file.read_text(encoding="utf-8-sig")
        except OSError as e:
            raise _token_error(self.url, str(file), system_words(e)) from e
        except UnicodeDecodeError as e:
            raise _token_error(self.url, str(file), Text(N_("it is no text"))) from e
        return _check_token(text, self.url, str(file))

    def _redact_token(self, words: str) -> str:
        return words.replace(self._token, "(token)") if self._token else words

    def _send(self, request: Callable[[], Any], sending: int = 0) -> Response:
        """Make a request that has a body of so many bytes; what comes back means the same for the owner, whatever it is."""
        from influxdb_client.rest import ApiException
        from urllib3.exceptions import HTTPError

        self._require_going_on()
        try:
            answer: Answer = request()
        except ApiException as e:
            if e.headers is None:  # TLS did not come about: the only thing that has no response
                raise self._unreachable(why_untrusted(e)) from e
            answer = cast("Answer", e.response)
        except (HTTPError, OSError) as e:
            was_cut = self._pool.was_cut
            self.close()
            if sending > 100_000 and not was_cut and _is_broken_pipe(e):
                # This is how a server says that a body is too large when it does not want to read all of it.
                raise BodyTooLarge from e
            too_slow = Text(N_("takes too long to answer"))
            raise self._unreachable(too_slow if was_cut else why_unreachable(e, self.url)) from e
        if answer.status in {401, 403} or answer.too_long:
            self.close()  # the token is read anew; and the rest of an answer is not read on to its end
        if answer.too_long:
            too_long = N_(
                "What answers at {url} sends more than is read ({most} MB), as no database does. Is this another service?"
                " Correct url below [influx]. What it misses is kept."
            )
            raise ResponseTooLarge(Text(too_long, url=self.url, most=LARGEST_BYTES >> 20))
        return Response(answer.status, dict(answer.headers), answer.data)

    def _unreachable(self, why: Text) -> Unavailable:
        kept = N_("The server at {url} {why}; what it misses is kept and sent when it is back.")
        return Unavailable(Text(kept, url=self.url, why=why))


def _check_token(text: str, url: str, where: str) -> str:
    """A token as it may stand in a header: whatever else were in there would end up in somebody's error message."""
    token = text.strip()
    if not re.fullmatch(r"[!-~]*", token):
        raise _token_error(url, where, Text(N_("it holds more than a token")))
    return token


def _token_error(url: str, where: str, why: str) -> Unavailable:
    template = N_(
        "The token for the server at {url} cannot be taken from {where}: {why}. Put the token there, alone, and let the"
        " user hartslag read it."
    )
    return Unavailable(Text(template, url=url, where=where, why=why))


def _is_broken_pipe(error: BaseException | None) -> bool:
    """Whether the connection was reset while it was written to, whatever that is wrapped in."""
    while error is not None:
        if isinstance(error, (BrokenPipeError, ConnectionResetError)):
            return True
        inner = next((a for a in error.args if isinstance(a, BaseException)), None)
        error = inner or error.__cause__
    return False


def _is_loopback(host: str) -> bool:
    """Whether packing would only cost time: on this machine nothing is saved by it."""
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return False


def _parse_retry_after(header: str | None) -> float | None:
    """How long a server asks to be left alone, in seconds or until a moment (RFC 9110, 10.2.3)."""
    if not header:
        return None
    with contextlib.suppress(ValueError):
        return max(float(header), 0.0)
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return max(parsedate_to_datetime(header).timestamp() - time.time(), 0.0)
    return None
