"""Servers that give no answer, or one from another place: the owner reads what is wrong and what helps, in each language."""

import datetime as dt
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import TryLater
from ingest.language import ENGLISH, languages, said
from ingest.retelling import retold
from ingest.settings.model import InfluxSettings
from ingest.stores.influx.client import ServerClient
from ingest.stores.influx.detection import detect_server
from tests.support.fake_server import FakeServer, says
from tests.support.languages import speaking
from tests.support.loopback_http import LoopbackHttp
from tests.support.needs import package
from tests.support.servers import InfluxDB, free_port

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


def said_of(url: str) -> str:
    """What its owner is told of a server; in no language anything of it stays English."""
    influx = InfluxSettings(url=url)
    with closing(ServerClient(influx)) as client, pytest.raises(TryLater) as caught:
        detect_server(client, influx).owners()
    told = caught.value.text
    assert url in told
    for language in languages():
        with speaking(language):
            # As it is said at once, and as it is kept in the journal and said later.
            assert said(told) == retold(str(told))
            assert (said(told) == str(told)) == (language == ENGLISH)
            assert not {"The", "what", "which", "see", "write"} & {*said(told).split()} or language == ENGLISH
    return str(told)


def certificate(folder: Path, *, name: str = "127.0.0.1", since: int = -1, until: int = 9) -> Path:
    """A file with the key and the certificate, signed by itself, of a server of an address; days are counted from today."""
    package("cryptography", "pip install -e '.[test]'")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a server")])
    made = (
        x509.CertificateBuilder(called, called, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW + since * DAY)
        .not_valid_after(NOW + until * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name} {since} {until}.pem"
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[Callable[..., tuple[str, Path]]]:
    """Starts a server with a certificate; gives its address, and the file."""
    started = []

    def start(**certified: Any) -> tuple[str, Path]:
        file = certificate(tmp_path, **certified)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        port = free_port()
        server = LoopbackHttp(port, lambda asked, _: asked.say(401, {"X-Influxdb-Version": "1.8.3"}, b"{}"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        started.append(server)
        return f"https://127.0.0.1:{port}", file

    yield start
    for each in started:
        each.close()


def test_a_certificate_that_will_not_do_is_told_with_what_helps(
    tls: Callable[..., tuple[str, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects from "not trusted" for four things with four remedies; a Pi with a wrong clock sees one of yesterday."""
    assert "has signed whom this computer trusts" in said_of(tls()[0])
    for certified, words in (
        ({"until": 0}, "does not hold today"),
        ({"since": 1}, "does not hold today"),
        ({"name": "127.0.0.2"}, "of another name"),
        ({}, "wants a token"),
    ):
        url, file = tls(**certified)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))  # as if it were put where the words above say
        assert words in said_of(url)


def test_http_where_https_should_stand_and_the_other_way() -> None:
    """Protects from a missing or needless s in the address: both are told as what they are."""
    go = b"Client sent an HTTP request to an HTTPS server.\n"
    with FakeServer() as server:
        server.always, server.everywhere = says(400, go), True
        assert "Write https://" in said_of(server.url)
        server.always = None
        assert "write http://" in said_of(server.url.replace("http:", "https:"))


@pytest.mark.parametrize(
    ("leads_to", "words"),
    [
        ("https://127.0.0.1:8443/ping", 'Write url = "https://127.0.0.1:8443/pi"'),
        ("https://127.0.0.1/ping", 'Write url = "https://127.0.0.1/pi"'),
        ("https://hotel.example/login", "log in first"),
        ("/login", "log in first"),
    ],
)
def test_one_that_sends_on_to_its_own_tls_is_told_with_the_line(leads_to: str, words: str) -> None:
    """Protects who has a proxy in front that wants https: it was taken for a network that wants a login."""
    with FakeServer() as server:
        server.always, server.everywhere = says(301, Location=leads_to), True
        assert words in said_of(server.url + "/pi")


def test_of_a_page_of_a_proxy_its_words_are_repeated_and_not_its_markup() -> None:
    """Protects who reads badly from "<html> <head><title>"."""
    page = (
        "<html>\r\n<head><title>502 Bad Gateway</title><style>p { a: b }</style></head>\r\n<hr><center>nginx"
    )
    with FakeServer() as server:
        server.always, server.everywhere = says(502, page), True
        assert said_of(server.url).endswith("The server says: 502 Bad Gateway nginx")


def test_an_address_that_leads_nowhere_says_what_is_wrong_with_it() -> None:
    """Protects who left the port out, mistyped it, or has a server that is not known or not there."""
    port = free_port()
    assert f"nothing listens at its port {port}" in said_of(f"http://127.0.0.1:{port}")
    assert "is not known by that name" in said_of("http://nowhere.invalid:8086")
    with closing(socket.socket()) as probe:
        if probe.connect_ex(("127.0.0.9", 80)) != 0:
            assert "at port 80, which holds where the url names none" in said_of("http://127.0.0.9")


def test_one_that_is_switched_off_is_told_as_such() -> None:
    """Protects from the name of an error of some library: a server that does not answer is the commonest of all."""
    with closing(socket.socket()) as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        try:
            assert "see that it is switched on" in said_of(f"http://127.0.0.1:{full.getsockname()[1]}")
        finally:
            for each in waiting:
                each.close()


@pytest.mark.parametrize("path", ["/api/v2/write", "/write", "/hartslag"])
def test_a_path_behind_the_address_of_influxdb_is_told_to_be_left_out(path: str, tmp_path: Path) -> None:
    """Protects who copied the address from another program's settings, paths and all."""
    with InfluxDB(tmp_path / "server") as server:
        told = said_of(server.url + path)
        assert f'write url = "{server.url}"' in told
        assert "calls itself" not in told


def test_a_policy_that_is_not_there_is_no_full_disk(tmp_path: Path) -> None:
    """Protects who wrote a / too many into the bucket of an InfluxDB 1 from "is sent again", which never helps."""
    with InfluxDB(tmp_path / "server") as server:
        influx = InfluxSettings(url=server.url, bucket="hartslag/month")
        with closing(ServerClient(influx)) as client, pytest.raises(TryLater, match="no retention policy"):
            detect_server(client, influx).owners()
