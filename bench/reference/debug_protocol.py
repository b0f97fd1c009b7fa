"""Writes test/debug/fixtures/debugProtocol.json.gz: the JSON schema of the Debug Adapter Protocol, as debugpy ships it.

Run it with a Python that has debugpy (ipykernel brings it): python bench/reference/debug_protocol.py
"""

import gzip
from pathlib import Path

import debugpy

FOLDER = Path(__file__).parents[2] / "test" / "debug" / "fixtures"
SCHEMA = "_vendored/pydevd/_pydevd_bundle/_debug_adapter/debugProtocol.json"

text = (Path(debugpy.__file__).parent / SCHEMA).read_bytes()
(FOLDER / "debugProtocol.json.gz").write_bytes(gzip.compress(text, mtime=0))
