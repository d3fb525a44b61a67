"""What the page of the drawing host asks: every state's stores behind one address, by POST /STATE/STORE/query and .../variable.

It does what Grafana's data sources do: targets come with the variables of the dashboard filled in, and are answered with frames.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote

from tests.support.grafana_frames import Column, Frame, Json
from tests.support.grafana_queries import (
    Looking,
    Store,
    answers,
    as_tables,
    found_for_variable,
)


def asked(store: Store, question: Json) -> Json:
    """The answer to the targets of a panel: frames, and by its reference why a target has none."""
    looking = Looking(question["from_ms"], question["to_ms"])
    frames: list[Frame] = []
    errors: dict[str, str] = {}
    series: set[str] = set()
    for target in question["targets"]:
        try:
            frames += answers(store, target, looking)
        except Exception as error:  # noqa: BLE001 - whatever it is, the panel shows it
            errors[target["refId"]] = f"{type(error).__name__}: {error}"
        if target.get("resultFormat") == "time_series" or target.get("format") == "time_series":
            series.add(target["refId"])
    tables = {t["refId"] for t in question["targets"] if t.get("format") == "table"}
    if tables:
        shown = [f for f in frames if f.ref not in tables]
        frames = shown + as_tables([f for f in frames if f.ref in tables], len(tables) > 1)
    return {"frames": [_frame_json(f, is_series=f.ref in series) for f in frames], "errors": errors}


def _frame_json(frame: Frame, *, is_series: bool) -> Json:
    fields = [_field_json(c) for c in frame.columns]
    named = {"name": frame.columns[1].name} if is_series and len(frame.columns) == 2 else {}
    return {"refId": frame.ref, **named, "fields": fields}


def _field_json(column: Column) -> Json:
    return {
        "name": column.name,
        "type": column.type or _type_of(column),
        "values": column.values,
        "labels": column.labels,
    }


def _type_of(column: Column) -> str:
    if column.name == "Time":
        return "time"
    return "string" if any(isinstance(v, str) for v in column.values) else "number"


@contextmanager
def asking_server(stores: Callable[[str, str], Store], now_ms: Callable[[str], int]) -> Iterator[str]:
    """The address of a server that asks `stores(state, name)` at `now_ms(state)`; it listens to this machine alone."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state, name, what = (unquote(part) for part in self.path.strip("/").split("/"))
            try:
                with turn:
                    store = stores(state, name)
                answer = (
                    asked(store, question) if what == "query" else variable(store, question, now_ms(state))
                )
                self._say(200, answer)
            except Exception as error:  # noqa: BLE001 - a fault of the tests: the host says it
                self._say(500, {"error": f"{type(error).__name__}: {error}"})

        def do_OPTIONS(self) -> None:
            self._say(204, None)

        def _say(self, status: int, content: Json | None) -> None:
            body = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Access-Control-Allow-Headers", "*")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: what went wrong is in the answer."""

    turn = threading.Lock()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def ask_address(server: str, state: str, store: str) -> str:
    """Where a dashboard of that state and store asks."""
    return f"{server}/{quote(state)}/{store}"


def variable(store: Store, question: Json, now_ms: int) -> Json:
    """What a variable's question is answered with, before its pattern picks from it."""
    found = found_for_variable(store, question["query"], Looking(0, now_ms))
    return {"values": [{"text": one, "value": one} for one in found]}
