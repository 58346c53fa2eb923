"""Files for the checkpoint reader: data/checkpoints.

NAME.pt      written by torch.save (zip format), one trait each
NAME.safetensors   the values a reader must find in NAME.pt: same keys, float32 (halves widened exactly, float64
             rounded) or int64 (integers and bool); the metadata entry "dtypes" is JSON of the types as
             stored. Prefixes module. and wrapping dicts are taken off, tensors in nested dicts and lists are left alone
mixed.safetensors  float32, float16, bfloat16, int64, uint8 and bool tensors, a scalar and an empty one, with metadata;
             mixed.json says dtype, shape and values
refuse/*     must be refused without running or allocating anything; refuse.json says why
"""

from __future__ import annotations

import io
import json
import pickle
import shutil
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch
from common import DATA, randn, save, save_json, sort_metadata
from safetensors.torch import save_file
from torch import Tensor, nn

OUT = DATA / "checkpoints"
NAMES = {
    torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64", torch.int64: "I64", torch.int32: "I32",
    torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


def zip_bytes(value, **options) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def pair(name: str, value, expected: dict[str, Tensor], **options) -> None:
    """Writes NAME.pt and what must be read from it."""
    (OUT / f"{name}.pt").write_bytes(zip_bytes(value, **options))
    dtypes = {k: NAMES[v.dtype] for k, v in expected.items()}
    save(OUT / f"{name}.safetensors", expected, {"dtypes": dtypes})


def good() -> None:
    types = {
        "float32": randn(1, 3, 4), "float16": randn(2, 5).half(), "bfloat16": randn(3, 2, 2).bfloat16(), "float64": randn(4, 3).double(),
        "int64": torch.tensor([[1, -2], [2**53, -(2**62)]]), "int32": torch.tensor([7, -8], dtype=torch.int32), "int16": torch.tensor([300], dtype=torch.int16),
        "int8": torch.tensor([-3, 4], dtype=torch.int8), "uint8": torch.tensor([255, 0], dtype=torch.uint8), "bool": torch.tensor([True, False]),
        "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3),
    }  # fmt: skip
    pair("types", types, types)
    special = {"half": torch.tensor([0.0, -0.0, 65504, 6e-8, 6.1e-5, -1e-4]).half(), "brain": torch.tensor([0.0, 3.3e38, 1e-38, 1e-40, -2.0]).bfloat16()}
    pair("subnormal", special, special)

    base = randn(5, 24)
    views = {
        "whole": base, "middle": base[8:20].view(3, 4), "transposed": base.view(4, 6).T, "every_third": base[1::3], "expanded": base[:4].expand(3, 4),
        "permuted": base.view(2, 3, 4).permute(2, 0, 1), "tied": base,
    }  # fmt: skip
    pair("shared", views, views)

    module = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    for i, (_, p) in enumerate(module.named_parameters()):
        p.data = randn(10 + i, *p.shape)
    state = module.state_dict()  # an OrderedDict that carries _metadata
    assert isinstance(state, OrderedDict) and state._metadata
    pair("state_dict", state, state)
    parameters = OrderedDict((k, nn.Parameter(v)) for k, v in module.named_parameters())
    pair("parameters", parameters, {k: v.data for k, v in parameters.items()})
    plain = {k: v for k, v in state.items() if v.dtype == torch.float32}
    for wrapper in ("state_dict", "model", "state_dict_ema"):
        pair(f"wrapped_{wrapper}", {"epoch": 3, wrapper: plain, "args": {"lr": 1e-4, "name": "x", "betas": (0.9, None, True)}}, plain)
    pair("prefixed", {f"module.{k}": v for k, v in plain.items()}, plain)
    nested = {"a": {"b": {"c": randn(20, 2)}, "d": [randn(21, 1), randn(22, 1)]}, "e": randn(23, 1)}
    pair("nested", nested, {"e": nested["e"]})  # optimiser states look like this: not weights
    many = {f"layer.{i}.weight": randn(30 + i, 2) for i in range(300)}  # long memo indices, BINPUT and LONG_BINPUT
    pair("many", many, many)

    pair("protocol_4", plain, plain, pickle_protocol=4)

    mixed = {
        "down_blocks.0.attn2.to_k_vision.weight": randn(40, 4, 3), "half": randn(41, 2, 3).half(), "brain": randn(42, 5).bfloat16(),
        "ids": torch.tensor([3, -1]), "bytes": torch.tensor([0, 255], dtype=torch.uint8), "flags": torch.tensor([True, False, True]),
        "scalar": torch.tensor(1.5), "empty": torch.zeros(2, 0),
    }  # fmt: skip
    save_file(mixed, OUT / "mixed.safetensors", {"format": "pt", "note": "made by Realword"})
    sort_metadata(OUT / "mixed.safetensors")
    describe = {k: {"dtype": NAMES[v.dtype], "shape": list(v.shape), "values": v.double().flatten().tolist()} for k, v in mixed.items()}
    save_json(OUT / "mixed.json", describe)


class _Call:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def archive(name: str, data_pkl: bytes, entries: dict[str, bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as z:
        for entry, data in {f"{name}/data.pkl": data_pkl, f"{name}/version": b"3\n", **{f"{name}/{k}": v for k, v in (entries or {}).items()}}.items():
            z.writestr(zipfile.ZipInfo(entry), data)
    return buffer.getvalue()


def tensor_pickle(storage: bytes, offset: int, size: tuple, stride: tuple, numel: int) -> bytes:
    """A state dict {"w": tensor} as torch pickles it, with free numbers."""
    number = lambda n: b"\x8a" + bytes([max(1, (n.bit_length() + 8) // 8)]) + n.to_bytes(max(1, (n.bit_length() + 8) // 8), "little", signed=True)
    tup = lambda ns: b"(" + b"".join(map(number, ns)) + b"t"
    text = lambda s: b"X" + struct.pack("<I", len(s)) + s
    persistent = b"(" + text(b"storage") + b"ctorch\n" + storage + b"\n" + text(b"0") + text(b"cpu") + number(numel) + b"tQ"
    call = b"ctorch._utils\n_rebuild_tensor_v2\n(" + persistent + number(offset) + tup(size) + tup(stride) + b"\x89ccollections\nOrderedDict\n)RtR"
    return b"\x80\x02}(" + text(b"w") + call + b"u."


def bad() -> None:
    refuse, why = OUT / "refuse", {}

    def write(name: str, data: bytes, reason: str) -> None:
        refuse.mkdir(parents=True, exist_ok=True)
        (refuse / name).write_bytes(data)
        why[name] = reason

    import builtins
    import os

    good_numbers = tensor_pickle(b"FloatStorage", 0, (2, 2), (2, 1), 4)
    four = {"data/0": struct.pack("<4f", 1, 2, 3, 4)}
    check = torch.load(io.BytesIO(archive("archive", good_numbers, four | {"byteorder": b"little"})), weights_only=True)
    assert check["w"].tolist() == [[1, 2], [3, 4]]  # so each file below is wrong in one thing only

    write("os_system.pt", archive("archive", pickle.dumps({"w": _Call(os.system, "touch realword-was-here")}, protocol=2)), "global posix.system")
    write("eval.pt", archive("archive", pickle.dumps({"w": _Call(builtins.eval, "1+1")}, protocol=2)), "global __builtin__.eval")
    write("getattr.pt", archive("archive", pickle.dumps({"w": _Call(builtins.getattr, "x", "upper")}, protocol=4)), "global builtins.getattr")
    write("raw_pickle.pt", pickle.dumps(_Call(os.system, "true"), protocol=2), "no zip archive: a bare pickle, as torch wrote before 1.6")
    write("unknown_storage.pt", archive("archive", tensor_pickle(b"QInt8Storage", 0, (2, 2), (2, 1), 4), four), "storage type not supported")
    write("too_large.pt", archive("archive", tensor_pickle(b"FloatStorage", 0, (2**40, 2**30), (2**30, 1), 2**62), four), "storage far larger than the file")
    write("beyond_end.pt", archive("archive", tensor_pickle(b"FloatStorage", 2, (2, 2), (2, 1), 4), four), "offset and strides leave the storage")
    write("negative_stride.pt", archive("archive", tensor_pickle(b"FloatStorage", 0, (2, 2), (-2, 1), 4), four), "negative stride")
    write("negative_size.pt", archive("archive", tensor_pickle(b"FloatStorage", 0, (-2, 2), (2, 1), 4), four), "negative size")
    write("short_storage.pt", archive("archive", good_numbers, {"data/0": b"\0" * 8}), "storage entry shorter than declared")
    write("missing_storage.pt", archive("archive", good_numbers), "storage entry missing")
    write("cut_pickle.pt", archive("archive", good_numbers[:-12], four), "pickle ends early")
    write("big_endian.pt", archive("archive", good_numbers, four | {"byteorder": b"big"}), "big-endian values")
    write("no_pickle.pt", _zip({"archive/version": b"3\n"}), "archive without data.pkl")
    write("deep.pt", archive("archive", b"\x80\x02" + b"]" * 20000 + b"a" * 19999 + b"."), "nesting far too deep")
    write("memo.pt", archive("archive", b"\x80\x02}q\x00h\x07."), "memo entry that was never stored")
    with zipfile.ZipFile(OUT / "types.pt") as old, zipfile.ZipFile(deflated := io.BytesIO(), "w") as new:
        for entry in old.infolist():
            new.writestr(zipfile.ZipInfo(entry.filename), old.read(entry.filename), zipfile.ZIP_DEFLATED)
    write("deflated.pt", deflated.getvalue(), "packed again with compression, which torch never does")
    write("cut_archive.pt", (OUT / "types.pt").read_bytes()[:700], "zip archive cut off")

    def header(text: bytes, data: bytes = b"", length: int | None = None) -> bytes:
        return struct.pack("<Q", len(text) if length is None else length) + text + data

    one = lambda **change: json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **change}}).encode()
    write("empty.safetensors", b"", "empty file")
    write("header_too_long.safetensors", header(b"{}", length=2**62), "header longer than the file")
    write("no_json.safetensors", header(b"{nope"), "header is no JSON")
    write("outside.safetensors", header(one(data_offsets=[0, 80], shape=[20]), b"\0" * 8), "data outside the file")
    write("size_mismatch.safetensors", header(one(shape=[3]), b"\0" * 8), "shape and data length disagree")
    write("overflow.safetensors", header(one(shape=[2**32, 2**32, 2]), b"\0" * 8), "product of the shape overflows")
    write("negative.safetensors", header(one(shape=[-2]), b"\0" * 8), "negative dimension")
    write("backwards.safetensors", header(one(data_offsets=[8, 0]), b"\0" * 8), "end before start")
    write("unknown_dtype.safetensors", header(one(dtype="F4"), b"\0" * 8), "element type not supported")
    two = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}
    write("overlap.safetensors", header(json.dumps(two).encode(), b"\0" * 12), "tensors overlap")
    save_json(refuse / "refuse.json", why)


def _zip(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as z:
        for name, data in entries.items():
            z.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def make() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    good()
    bad()
