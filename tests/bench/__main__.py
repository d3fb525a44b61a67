"""All benchmarks one after the other: `make bench`. Nothing else should run meanwhile."""

import subprocess
import sys

for part in ("fit", "zones", "peers", "add", "rows", "straps", "stores", "grafana"):
    print(f"\n## {part}\n", flush=True)
    subprocess.run([sys.executable, "-m", f"tests.bench.{part}"], check=True)
