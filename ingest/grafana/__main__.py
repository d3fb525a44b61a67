"""Renews config/grafana from the specification: `make grafana`."""

from pathlib import Path

from ingest.grafana.folder import default_files

if __name__ == "__main__":
    config = Path(__file__).parents[2] / "config" / "grafana"
    for path, text in default_files().items():
        (config / path).parent.mkdir(parents=True, exist_ok=True)
        (config / path).write_text(text, encoding="utf-8")
