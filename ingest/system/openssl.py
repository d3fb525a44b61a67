"""OpenSSL, left out where nothing needs it."""

import sys
from importlib.util import find_spec


def leave_out_openssl() -> None:
    """Load asyncio and hashlib without OpenSSL, which is 5 MB of the memory of a daemon.

    asyncio loads it for encrypted connections, and nobody here makes any over asyncio; hashlib for hashes that Python
    has itself. Both do without where there is none, so they are told so. Whoever needs it later, as for a server with
    https, imports ssl as usual. It has no effect on what is loaded already.
    """
    left_out = ["ssl"]
    if find_spec("_sha256") or find_spec(
        "_sha2"
    ):  # the second since Python 3.12; some distributions leave it out
        left_out.append("_hashlib")
    left_out = [name for name in left_out if name not in sys.modules]
    sys.modules.update(dict.fromkeys(left_out))  # type: ignore[arg-type]  # None means: cannot be imported
    try:
        import asyncio  # noqa: F401
        import hashlib  # noqa: F401
    finally:
        for name in left_out:
            del sys.modules[name]
