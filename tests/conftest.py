"""Before any test module is imported: ONNX Runtime sends nothing home from here either."""

from __future__ import annotations

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
