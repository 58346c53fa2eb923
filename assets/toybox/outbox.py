"""What a run leaves where only a few small files come back from (--out), and how it becomes a work folder again (--join).

weights-0.safetensors, weights-1.safetensors, ...: at most 15 MB each, whole tensors, always in the same order:
    average/<stage>/<name>   float16, of every stage that has begun: what is exported
    current/joint/<name>     bfloat16, of the joint stage: what a longer run goes on from
The first one tells in its metadata what else is needed. Every file is replaced at once, the first one last, so that what it tells of is there;
should a run be killed between two of them, they come from savings two minutes apart, and fit together all the same.
"""
import json, os, pathlib, shutil
import torch
from flat import named, view
from safetensors import safe_open
from safetensors.torch import save_file

SIZE = 15_000_000


class Outbox:
    def __init__(self, folder, work):
        self.folder, self.work, self.tensors, self.about = folder, work, {}, {}
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, stage, state):
        """state: what Run.save wrote of a stage."""
        self.tensors[stage] = {f"average/{stage}/{n}": v.half().contiguous() for n, v in named(state).items()}
        if stage == "joint":
            self.tensors["current"] = {f"current/{stage}/{n}": v.bfloat16().contiguous() for n, v in named(state, "weights").items()}
        plain = {k: v for k, v in state.items() if isinstance(v, (int, float, str))}
        sizes = dict(size=len(state["weights"]), second=len(state["second"]), steps=float(state["steps"]))
        self.about[stage] = plain | sizes | dict(layout=[(n, start, list(shape)) for n, start, shape in state["layout"]])

    def write(self):
        cache = self.work / "latents.pt"
        if cache.exists():
            cache = torch.load(cache, mmap=True)
            self.about["latents"] = {k: cache[k] for k in ("scaling", "latent_rgb", "latent_rgb_bias")}
        files, left = [], 0
        for stage in ("vae", "encoders", "large", "joint", "current"):
            for name, t in self.tensors.get(stage, {}).items():
                if t.nbytes > left:
                    files.append({})
                    left = SIZE - 300_000 * (len(files) == 1) - 100_000  # the header, which tells more in the first
                files[-1][name] = t
                left -= t.nbytes
        for i, f in reversed(list(enumerate(files))):
            path, made = self.folder / f"weights-{i}.safetensors", self.work / "piece.tmp"
            save_file(f, made, dict(about=json.dumps(self.about)) if i == 0 else None)
            try:
                os.replace(made, path)
            except OSError:  # another file system
                shutil.copyfile(made, path.with_suffix(".tmp"))
                os.replace(path.with_suffix(".tmp"), path)
                made.unlink()


def join(folder, work):
    """Makes work/<stage>.pt again, to export and to go on from; momentum begins anew. latents.pt has what export needs, no latents."""
    tensors, about = {}, None
    for path in sorted(pathlib.Path(folder).glob("weights-*.safetensors")):
        with safe_open(path, "pt") as f:
            about = json.loads((f.metadata() or {}).get("about", "null")) or about
            tensors |= {k: f.get_tensor(k) for k in f.keys()}
    if about is None:
        raise SystemExit(f"{folder} has no weights-0.safetensors: is it what --out wrote?")
    work.mkdir(parents=True, exist_ok=True)
    latents = about.pop("latents", None)
    for stage, kept in about.items():
        layout = [(n, start, torch.Size(shape)) for n, start, shape in kept.pop("layout")]
        size, second = kept.pop("size"), kept.pop("second")
        state = dict(layout=layout, ema=torch.zeros(size), weights=torch.zeros(size), first=torch.zeros(size), second=torch.zeros(second), steps=torch.tensor(kept.pop("steps")))
        for name, start, shape in layout:
            average = tensors.get(f"average/{stage}/{name}")
            if average is None:
                raise SystemExit(f"{folder} is not complete: a file with {stage}'s {name} is missing")
            view(state["ema"], start, shape).copy_(average)
            view(state["weights"], start, shape).copy_(tensors.get(f"current/{stage}/{name}", average))
        write(work / f"{stage}.pt", state | kept)
    if latents:
        write(work / "latents.pt", latents | dict(count=0))
    return list(about)


def write(path, state):
    """Whole or not at all."""
    torch.save(state, path.with_suffix(".tmp"))
    os.replace(path.with_suffix(".tmp"), path)
