"""A VictoriaMetrics cluster behind vmauth, as far as a client sees it: real single nodes are its storages, and stand behind a proxy.

No cluster version can be installed where the tests run. What a client of one meets is played here as its documentation and
its sources have it (https://docs.victoriametrics.com/cluster-victoriametrics/, app/vmselect/prometheus, app/vmselect/netstorage):

* Lines go to a storage by their series, and to another one while theirs is away; `copies` is `-replicationFactor`.
* A storage that was killed has lost what it took in its last seconds; the proxy keeps its connections meanwhile.
* With fewer storages than it takes `/api/v1/series` and its like say `isPartial`, `/api/v1/export` says 503, and so does a
  deletion, which was carried out where it could be.
* There is no `/metrics` on the paths for writing, and no `/internal/force_flush` on those for reading.
* What two storages hold of one series is shown as one; of two values at one moment the higher, if `select_flags` say so.
"""

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit
from zlib import crc32

from tests.support.loopback_http import Asked, LoopbackHttp
from tests.support.servers import FAR_S, VictoriaMetrics

INSERT, SELECT, DELETE = "/insert/0/influx", "/select/0/prometheus", "/delete/0/prometheus"

SHOWN_S = 4.0
"""After which what was written is shown at the latest."""

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}

_DIGEST = re.compile(r"sum\((count|sum)_over_time\((\{.*\})\[(\d+)ms\]\) keep_metric_names\) by \(__name__\)")
_COUNT = re.compile(r"sum\((count)_over_time\((\{.*\})\[(\d+)ms\]\)\)")


class Partial(Exception):  # noqa: N818 - it is an answer
    """Some storages are away."""


class Cluster(VictoriaMetrics):
    """Storages that are killed one by one, or all at once as the methods of its base do."""

    def __init__(
        self,
        folder: Path,
        flags: Sequence[str] = VictoriaMetrics.FLAGS,
        *,
        storages: int = 2,
        copies: int = 1,
        select_flags: Sequence[str] = VictoriaMetrics.FLAGS[1:],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(folder, flags)
        self.storages = [VictoriaMetrics(folder / f"storage {i}", flags) for i in range(storages)]
        self.copies = copies
        self.deduplicates = any("dedup" in flag for flag in select_flags)
        self.requests: list[str] = []
        self.clock, self.shown_s = clock, SHOWN_S
        """By which clock, and after how long, what was written is shown."""
        self.routes: tuple[str, ...] = (INSERT, SELECT, DELETE)
        """Which vmauth has."""
        self.changed_s = 0.0
        """When it was last written to, or told to delete, by the true clock."""
        self._unshown_since: float | None = None
        self._lock = threading.Lock()
        self._http: LoopbackHttp | None = None

    @property
    def url(self) -> str:
        """What stands in the settings."""
        return f"http://127.0.0.1:{self.port}{INSERT}"

    def start(self) -> Self:
        """All storages that are away, and the proxy, which lives on when they die."""
        for storage in self.storages:
            if storage.process is None:
                storage.start()
        if self._http is None:
            self._http = LoopbackHttp(self.port, self._answer)
        return self

    def kill(self) -> None:
        for storage in self.storages:
            storage.kill()

    def stop(self) -> None:
        for storage in self.storages:
            storage.stop()

    def lost(self) -> None:
        for storage in self.storages:
            storage.lost()

    @contextmanager
    def hung(self) -> Iterator[None]:
        with contextlib.ExitStack() as all_of_them:
            for storage in self.storages:
                all_of_them.enter_context(storage.hung())
            yield

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()
        if self._http is not None:
            self._http.close()
            self._http = None

    def flush(self) -> None:
        for storage in self.storages:
            if storage.process is not None:
                storage.flush()

    def _told(self, path: str, **values: Any) -> bytes:
        return super()._told(f"{SELECT}{path}", **values)

    # --- its parts ---

    def insert(self, path: str, body: bytes) -> int:
        """Lines to the storages that they belong to, or to the next one that is there."""
        count = len(self.storages)
        with self._lock:
            self._unshown_since = self._unshown_since or self.clock()
        parts: list[list[bytes]] = [[] for _ in range(count)]
        homes: dict[bytes, int] = {}
        for line in body.splitlines(keepends=True):
            key = line.partition(b" ")[0]
            home = homes.get(key)
            if home is None:
                home = homes[key] = crc32(key) % count
            parts[home].append(line)
        for home, lines in enumerate(parts):
            if lines and not self._insert_at(home, path, b"".join(lines)):
                return 503
        return 204

    def _insert_at(self, home: int, path: str, body: bytes) -> int:
        """On how many storages it is now."""
        done = 0
        for i in range(len(self.storages)):
            storage = self.storages[(home + i) % len(self.storages)]
            with contextlib.suppress(OSError, HTTPException):
                done += storage.ask("POST", path, body, timeout_s=10)[0] == 204
            if done == self.copies:
                break
        return done

    def ask_all(self, path: str, form: bytes) -> tuple[list[bytes], bool]:
        """The answers of the storages that are there, and whether those may be a part only."""
        answers = []
        for storage in self.storages:
            with contextlib.suppress(OSError, HTTPException):
                status, body = storage.ask("POST", path, form, _FORM, timeout_s=20)
                if status in {200, 204}:
                    answers.append(body)
        return answers, len(self.storages) - len(answers) >= self.copies

    def merged(self, match: str, start: str, end: str) -> list[dict[str, Any]]:
        """Each series once, with what all storages hold of it. Raises Partial."""
        form = urlencode({"match[]": match, "start": start, "end": end}).encode()
        answers, is_partial = self.ask_all("/api/v1/export", form)
        if is_partial:
            raise Partial
        found: dict[str, list[tuple[int, float]]] = {}
        for line in b"\n".join(answers).splitlines():
            if line:
                one = json.loads(line)
                name = json.dumps(one["metric"], sort_keys=True)
                found.setdefault(name, []).extend(zip(one["timestamps"], one["values"], strict=True))
        shown = []
        for name, samples in found.items():
            ordered = list(dict(sorted(samples)).items()) if self.deduplicates else sorted(samples)
            times, values = zip(*ordered, strict=True)
            shown.append({"metric": json.loads(name), "values": values, "timestamps": times})
        return shown

    def counted(self, query: str, at_s: float) -> list[dict[str, Any]]:
        """The two questions of hartslag for sums that are answered here: a storage alone counts what another has, too."""
        asked = _DIGEST.fullmatch(query) or _COUNT.fullmatch(query)
        assert asked, query
        last_ms = round(at_s * 1000)
        start_ms = max(last_ms - int(asked[3]) + 1, 1)
        sums: dict[str, float] = {}
        for one in self.merged(asked[2], f"{start_ms / 1000:.3f}", f"{last_ms / 1000:.3f}"):
            name = one["metric"]["__name__"] if "by (__name__)" in query else ""
            sums[name] = sums.get(name, 0) + (
                len(one["values"]) if asked[1] == "count" else sum(one["values"])
            )
        return [
            {"metric": {"__name__": name} if name else {}, "value": [at_s, str(n)]}
            for name, n in sums.items()
        ]

    def _show(self) -> None:
        """Have what was written be shown once it is time: 1.79 takes up to ten seconds by itself, a cluster of today five."""
        with self._lock:
            if self._unshown_since is None or self.clock() - self._unshown_since < self.shown_s:
                return
            self._unshown_since = None
        for storage in self.storages:
            with contextlib.suppress(OSError, HTTPException):
                storage.ask("GET", "/internal/force_flush", timeout_s=10)

    # --- what is heard and said ---

    def _answer(self, asked: Asked, body: bytes) -> None:
        split = urlsplit(asked.path)
        self.requests.append(split.path)
        try:
            status, answer = self._answer_to(split.path, split.query, body)
        except Partial:
            status, answer = (
                503,
                b"cannot return full response, since some of vmstorage nodes are unavailable",
            )
        asked.say(status, {"X-Server-Hostname": "vmauth"}, answer)

    def _answer_to(self, path: str, query: str, body: bytes) -> tuple[int, bytes]:
        known = (f"{INSERT}/api/v2/write", f"{DELETE}/api/v1/admin/tsdb/delete_series", f"{SELECT}/api/v1/")
        if not path.startswith(self.routes) or not path.startswith(known):
            return 400, f'unsupported path requested: "{path}"'.encode()
        if not path.startswith(SELECT):
            self.changed_s = time.monotonic()
        if path == f"{INSERT}/api/v2/write":
            return self.insert(f"/api/v2/write?{query}", body), b"no vmstorage is available"
        self._show()
        if path == f"{DELETE}/api/v1/admin/tsdb/delete_series":
            answers, _ = self.ask_all(path.removeprefix(DELETE), body)
            return (204, b"") if len(answers) == len(self.storages) else (503, b"a vmstorage is unavailable")
        path = path.removeprefix(SELECT)
        asked = {k: v[-1] for k, v in parse_qs(f"{query}&{body.decode()}").items()}
        if path == "/api/v1/export":
            found = self.merged(asked["match[]"], asked.get("start", "0"), asked.get("end", str(FAR_S)))
            return 200, b"".join(json.dumps(one).encode() + b"\n" for one in found)
        if path == "/api/v1/query":
            result = self.counted(asked["query"], float(asked["time"]))
            return 200, _said({"resultType": "vector", "result": result}, is_partial=False)
        answers, is_partial = self.ask_all(path, urlencode(asked).encode())
        together = {json.dumps(one, sort_keys=True) for each in answers for one in json.loads(each)["data"]}
        return 200, _said([json.loads(one) for one in sorted(together)], is_partial=is_partial)


def _said(data: Any, *, is_partial: bool) -> bytes:
    return json.dumps({"status": "success", "isPartial": is_partial, "data": data}).encode()
