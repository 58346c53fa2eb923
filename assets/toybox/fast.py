"""How fast and where training runs: attention written out for CPUs, precision by device, and processes that train together.

On CPUs with matrix units the backward pass of the fused attention kernel takes 40 % of a training step.
"""
import os
import torch
import torch.distributed as dist
import torch.nn.functional as F
from optim import flat
from torch.utils._pytree import tree_flatten, tree_unflatten

TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


def explicit_attention():
    """Replaces torch's fused attention everywhere in this process."""

    def attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
        assert not dropout_p and not enable_gqa
        s = (q * (q.shape[-1] ** -.5 if scale is None else scale)) @ k.transpose(-1, -2)
        if is_causal:
            s = s + torch.full(s.shape[-2:], float("-inf"), dtype=s.dtype, device=s.device).triu(1)
        if attn_mask is not None:
            s = s + attn_mask
        return s.softmax(-1).to(v.dtype) @ v

    F.scaled_dot_product_attention = attention


class Compiled:
    """Networks, and functions as pairs of module and name, that run compiled as long as that works. backend: torch.compile's, or None for none.
    ready() -> true from when on, false if never, None while that is open."""

    def __init__(self, modules, backend, functions=(), ready=lambda: True):
        self.waiting, self.backend, self.ready = (list(modules), [(m, n, getattr(m, n)) for m, n in functions]) if backend else None, backend, ready
        self.modules, self.functions, self.steps = [], [], 0
        self.step()

    def step(self):
        """Called after each step: compiles, if it is time to."""
        self.steps += 1
        if self.waiting and self.ready() is not None:
            self.steps = 0
            if self.ready():
                self.modules, self.functions = self.waiting
            self.waiting = None
            for m in self.modules:
                m.compile(dynamic=False, backend=self.backend)
            for m, n, f in self.functions:
                setattr(m, n, torch.compile(f, dynamic=False, backend=self.backend))

    def give_up(self, reason):
        """They run uncompiled from now on. False if they did already, or for some steps ran as they do."""
        if not self.modules or self.steps > 3:
            return False
        print(f"compiling failed, so training goes on uncompiled: {str(reason).strip().splitlines()[0][:300]}", flush=True)
        for m in self.modules:
            m._compiled_call_impl = None
        self.undo()
        self.modules = []
        return True

    def undo(self):
        """The functions are what they were."""
        for m, n, f in self.functions:
            setattr(m, n, f)
        self.functions = []


class Captured:
    """A function of a tree of tensors, made of nothing but calls to a card that never wait: recorded as a CUDA graph after a few ordinary
    calls, once for each set of shapes, and played from then on. A step of thousands of small calls is then one, whatever else the
    processor has to do. What the function changes and returns keeps its place in memory; on a processor it is simply called."""

    def __init__(self, function, device, warm=3):
        self.function, self.warm, self.known = function, warm, {}
        self.stream = torch.cuda.Stream() if device.type == "cuda" else None

    def __call__(self, *given):
        if self.stream is None:
            return self.function(*given)
        leaves, shape = tree_flatten(given)
        key = tuple((t.shape, t.dtype, t.stride()) for t in leaves)
        calls, graph, held, out = self.known.get(key, (0, None, None, None))
        if graph is None and calls >= self.warm:
            try:
                held = [t.clone() for t in leaves]
                graph = torch.cuda.CUDAGraph()
                torch.cuda.synchronize()
                with torch.cuda.graph(graph, stream=self.stream):
                    out = self.function(*tree_unflatten(held, shape))
            except Exception as e:
                print(f"recording failed, so every call is made one by one: {str(e).strip().splitlines()[0][:300]}", flush=True)
                self.stream = None
                return self.function(*given)
        self.known[key] = calls + 1, graph, held, out
        if graph is None:
            self.stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.stream):
                out = self.function(*given)
            torch.cuda.current_stream().wait_stream(self.stream)
            return out
        if held:
            torch._foreach_copy_(held, list(leaves))
        graph.replay()
        return out


class Precision:
    """Mixed precision: weights stay float32, networks compute in bf16, fp16 or fp32. fp16 has no room for small gradients, so its
    loss is scaled up and the step left out when that overflows; for the others the scaler does nothing."""

    def __init__(self, device, name="bf16"):
        self.device, self.type = torch.device(device), TYPES[name]
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=name == "fp16")

    def autocast(self):
        return torch.autocast(self.device.type, self.type, enabled=self.type != torch.float32)


class Team:
    """Processes that train one model together, by averaging gradients each step. On a CPU each has a single thread.

    On a busy machine two processes of one thread wait for each other once a step; two threads of one process would wait at
    every operator. Started once per RANK with WORLD_SIZE set: by toybox.py --processes, which names a file as meeting point in TEAM, or by
    torchrun, which sets MASTER_ADDR and MASTER_PORT. Alone without these variables. device: "cpu", "cuda" (the GPU of LOCAL_RANK)
    or "auto" (a GPU where there is one). Each process has a GPU of its own, or none has one.
    """

    def __init__(self, threads=int(os.environ.get("OMP_NUM_THREADS", 2)), device="cpu"):
        self.rank, self.size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        cuda = device == "cuda" or (device == "auto" and torch.cuda.is_available())
        here = int(os.environ.get("LOCAL_WORLD_SIZE", self.size))
        if cuda and here > torch.cuda.device_count():
            raise SystemExit(f"{here} processes were started for {torch.cuda.device_count()} graphics card(s): start one for each card, or give --device cpu")
        self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", self.rank))) if cuda else torch.device("cpu")
        if cuda:
            torch.cuda.set_device(self.device)
        else:
            torch.set_num_threads(threads if self.size == 1 else 1)
        if self.size > 1:
            dist.init_process_group("nccl" if cuda else "gloo", init_method=os.environ.get("TEAM", "env://"), rank=self.rank, world_size=self.size)

    def average(self, params, *numbers):
        """Averages the gradients, in place, and the numbers (returned): a clock, a loss."""
        if self.size == 1:
            return list(numbers)
        grads = [flat(p.grad).view(-1) for p in params]
        all = torch.cat(grads + [torch.tensor(numbers, device=self.device)])
        dist.all_reduce(all)
        all /= self.size
        torch._foreach_copy_(grads, list(all.split([g.numel() for g in grads] + [len(numbers)])[:-1]))
        return all[-len(numbers):].tolist()

    def exchange(self, grads, numbers, done, stop):
        """Averages flat gradients and figures, in place. Returns the first process's share of the time, and whether any was asked to stop."""
        more = torch.cat([grads, numbers, torch.tensor([done if self.rank == 0 else 0.0, float(stop)], device=grads.device)])
        dist.all_reduce(more)
        grads.copy_(more[:len(grads)]).div_(self.size)
        numbers.copy_(more[len(grads):-2]).div_(self.size)
        done, stop = more[-2:].tolist()
        return done, stop > 0

    def mean(self, x):
        """The mean of a tensor over the processes, without gradient."""
        x = x.detach().clone()
        if self.size > 1:
            dist.all_reduce(x)
        return x / self.size
