"""The version of the product, from the one place that says it: `version.txt` beside the app.

The doctor, every answer of the API (and by it the dashboard), the OpenAPI document and the first line of each process's
log tell it; `pyproject.toml`, the templates and the release take it from the same file.
"""

from __future__ import annotations

from pathlib import Path

VERSION = (Path(__file__).resolve().parent.parent / "version.txt").read_text(encoding="utf-8").strip()
