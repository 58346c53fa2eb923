"""Makes the small PyTorch and safetensors files of this folder that assets/golden/checkpoints.py does not. Run: python make.py (needs torch and
safetensors).

expect.json holds, for each file, what the reader must find: name -> [dtype, shape, values].
"""
import collections, json, os, pathlib
import torch
from safetensors.torch import save_file

torch.set_num_threads(1)
torch.manual_seed(0)
here = pathlib.Path(__file__).parent
expect = {}
NAMES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64", torch.int64: "I64", torch.int32: "I32",
         torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL"}


def note(file, tensors):
    expect[file] = {k: [NAMES[t.dtype], list(t.shape), [float(v) for v in t.detach().flatten().tolist()]] for k, t in tensors.items()}


def save(file, obj, tensors, **kw):
    torch.save(obj, here / file, **kw)
    note(file, tensors)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.l = torch.nn.Linear(3, 2)


types = {str(d).removeprefix("torch."): torch.tensor([0, 1, 2, 1]).to(d) for d in NAMES}
types["scalar"] = torch.tensor(2.5)
types["empty"] = torch.zeros(0, 3)
types["half_special"] = torch.tensor([1.5, -6.1e-5, 6e-8, 65504, float("-0.0")], dtype=torch.float16)
save_file({**types, "ünïcode.weight": torch.ones(1, 2)}, here / "types.safetensors", metadata={"format": "pt", "note": "a b"})
note("types.safetensors", {**types, "ünïcode.weight": torch.ones(1, 2)})

base = torch.arange(24.0)
shared = {"whole": base, "row": base[6:12], "matrix": base.view(4, 6), "transposed": base.view(4, 6).t(), "column": base.view(4, 6)[:, 2],
          "every_other": base[1::2], "permuted": base.view(2, 3, 4).permute(2, 0, 1), "expanded": base[3:4].expand(2, 3),
          "last": base[23:].view(1, 1), "corner": base.view(4, 6)[2:3, 1:2], "conv_nhwc": torch.arange(16.0).view(1, 4, 2, 2).contiguous(memory_format=torch.channels_last)}
save("shared.pt", shared, shared)

param = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
tagged = torch.nn.Parameter(torch.tensor([3.0]))
tagged.tag = 5
wrapped = {"module.a": param, "b": tagged}
save("wrapped.pt", {"epoch": 3, "args": __import__("argparse").Namespace(lr=0.1), "state_dict": wrapped, "model": {"wrong": torch.ones(1)},
                    "big": 1 << 70, "list": [torch.ones(1), "x"], "shape": torch.Size([2])}, {"a": param, "b": tagged})
mixed = {"w": torch.tensor([[7.0]]), "step": 4, "nested": {"x": torch.ones(2)}, "nothing": None, "negative": -(1 << 33), "name": "n", 3: torch.ones(1)}
save("mixed.pt", mixed, {"w": mixed["w"]})

class Evil:
    def __reduce__(self):
        return os.system, ("touch pwned",)

torch.save({"w": torch.ones(1), "x": Evil()}, here / "bad_system.pt")
torch.save(Net(), here / "bad_module.pt")
torch.save(torch.ones(2), here / "bad_tensor.pt")
torch.save({"lr": 0.1}, here / "bad_no_tensors.pt")
torch.save({"w": torch.ones(2)}, here / "bad_legacy.pt", _use_new_zipfile_serialization=False)
torch.save({"w": torch.ones(2, dtype=torch.complex64)}, here / "bad_complex.pt")
torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), str(here / "bad_torchscript.pt"))
json.dump(expect, open(here / "expect.json", "w"), indent=None, separators=(",", ":"), sort_keys=True)
