"""What every golden script shares: where data goes, seeded values, safetensors output."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

HERE = Path(__file__).resolve().parent
DATA = HERE / "data"
sys.path.insert(0, str(HERE.parent / "toybox"))  # networks.py

torch.set_num_threads(1)


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def randn(seed: int, *shape: int) -> Tensor:
    """Standard normal float32 values."""
    return torch.randn(*shape, generator=rng(seed))


def rand(seed: int, *shape: int) -> Tensor:
    """Uniform float32 values in 0..1."""
    return torch.rand(*shape, generator=rng(seed))


def save(path: Path, tensors: dict[str, Tensor], meta: dict | None = None) -> None:
    """Writes a golden file: floats as float32, integers as int64; meta values that are no strings become JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {}
    for name in sorted(tensors):
        t = tensors[name].detach()
        assert t.isfinite().all(), name
        plain[name] = t.to(torch.float32 if t.is_floating_point() else torch.int64).contiguous().clone()
    text = {k: v if isinstance(v, str) else json.dumps(v, sort_keys=True) for k, v in (meta or {}).items()}
    save_file(plain, path, text)
    sort_metadata(path)


def sort_metadata(path: Path) -> None:
    """Writes the header of a safetensors file again with sorted metadata: the library's order changes from run to run."""
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header = {"__metadata__": dict(sorted(header.pop("__metadata__", {}).items()))} | header
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[end:])
    path.chmod(0o644)


def save_json(path: Path, value) -> None:
    """Writes JSON with one line per entry of a top-level list."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = lambda v: json.dumps(v, ensure_ascii=False, sort_keys=True)
    lines = lambda v: "[\n  " + ",\n  ".join(map(line, v)) + "]" if isinstance(v, list) and v and isinstance(v[0], dict) else line(v)
    entries = ",\n ".join(f"{json.dumps(k)}: {lines(v)}" for k, v in value.items())
    path.write_text("{" + entries + "}\n", encoding="utf-8")
