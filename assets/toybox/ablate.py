"""Short trainings that differ in one thing each, side by side, and what they reach on held-out scenes: a table for README.md.

    python ablate.py --work DIR --part vae --steps 300            autoencoders; each variant trains in DIR/ablate/NAME on the scenes of DIR
    python ablate.py --work DIR --part joint --steps 400          the joint stage on DIR's autoencoder
    python ablate.py --work DIR --table results/ablations.md      what there is, as a table

The same steps, batch and samples for every variant of a part, so a busy machine makes it slower, not different. Figures are means over
held-out scenes with the averaged weights: errors inside subjects for autoencoders, the joint stage's own losses with twins as references.
"""
import argparse, json, os, pathlib, subprocess, sys, time
import torch
from store import Store, draw, floats

HERE = pathlib.Path(__file__).resolve().parent
VAE = {"f4c4": ["--latent", "f4c4"], "f8c8": ["--latent", "f8c8"], "f8c16": ["--latent", "f8c16"], "f4c4, rate 1e-3": ["--latent", "f4c4", "--lr", "1e-3"],
       "f4c4, rate 4e-3": ["--latent", "f4c4", "--lr", "4e-3"]}
JOINT = {"from the embedded model": ["--start", "{work}/start.safetensors"], "from nothing": [], "rate 1e-3": ["--start", "{work}/start.safetensors", "--lr", "1e-3"],
         "rate 4e-3": ["--start", "{work}/start.safetensors", "--lr", "4e-3"], "without the features loss": ["--start", "{work}/start.safetensors", "--without", "features"],
         "without the correspondence loss": ["--start", "{work}/start.safetensors", "--without", "correspondence"]}


def folder(work, name):
    """A work folder of its own that shares scenes, bank and tokenizer (and what the joint stage builds on)."""
    out = work / "ablate" / name.replace(" ", "-").replace(",", "")
    out.mkdir(parents=True, exist_ok=True)
    for path in [*work.glob("train-*"), *work.glob("test-*"), work / "tokenizer", work / "bank.npz"]:
        if not (out / path.name).exists():
            os.symlink(path.resolve(), out / path.name)
    return out


@torch.no_grad()
def held_out(work, count=256, batch=32):
    """The joint stage's losses on held-out scenes, every noise level equally often, always with twins in full: name -> mean."""
    from contextlib import nullcontext
    from joint import Joint
    from model import load
    model, tokenizer = load(work)
    store = Store()
    for path in sorted(work.glob("test-*-meta.json"))[:1]:
        store.add(str(path)[:-len("-meta.json")], tokenizer)
    scale = model.vae.config.scaling_factor
    store.latents = torch.cat([model.vae.encode(floats(store.pictures[i:i + 50])).latent_dist.mean * scale for i in range(0, len(store), 50)])[:, None]
    joint, empty = Joint(model), torch.from_numpy(tokenizer("")[0])
    state = torch.load(work / "joint.pt", map_location="cpu")
    for name, start, shape in state["layout"]:
        if name.startswith("head."):
            joint.get_parameter(name).copy_(state["ema"][start:start + shape.numel()].view(shape))

    class Plain:
        def autocast(self):
            return nullcontext()
    total, g = {}, torch.Generator().manual_seed(0)
    for k in range(0, count, batch):
        t = (torch.arange(batch) + torch.rand(batch, generator=g)) / batch
        b = draw(store, batch, 4, 0, 1.0, 1.0, g, t[torch.randperm(batch, generator=g)], empty)
        for name, v in joint(b, b["target"], Plain()).items():
            total[name] = total.get(name, 0) + v.item() * batch / count
    return total


def autoencoder_errors(work):
    import autoencoder
    from model import load
    model, tokenizer = load(work)
    store = Store()
    store.add(str(sorted(work.glob("test-*-meta.json"))[0])[:-len("-meta.json")], tokenizer)
    return dict(zip(("whole", "inside"), autoencoder.errors(model.vae, store, 200)))


def train(work, part, name, options, steps, batch):
    """Trains one variant (if it has not been), measures it, and keeps the figures in its folder."""
    out = folder(work, f"{part}-{name}")
    if (out / "figures.json").exists():
        return
    if part == "joint":
        for f in ("vae.pt", "latents.pt"):
            if not (out / f).exists():
                os.symlink((work / f).resolve(), out / f)
    start = time.time()
    stage = "vae" if part == "vae" else "joint"
    subprocess.run([sys.executable, str(HERE / "toybox.py"), "--work", str(out), "--stage", stage, "--steps", str(steps), "--batch", str(batch),
                    *(o.format(work=work) for o in options)], check=True, stdout=subprocess.DEVNULL)
    figures = autoencoder_errors(out) if part == "vae" else held_out(out)
    (out / "figures.json").write_text(json.dumps(dict(part=part, name=name, steps=steps, samples=steps * batch, seconds=round(time.time() - start), **figures)) + "\n")
    print(name, figures, flush=True)


def table(work):
    rows = [json.loads(f.read_text()) for f in sorted((work / "ablate").glob("*/figures.json"))]
    lines = []
    for part, title, columns in (("vae", "Autoencoder: mean absolute error (of 0..1) on held-out scenes", ("whole", "inside")),
                                 ("joint", "Joint stage: losses on held-out scenes", ("velocity", "attention", "correspondence", "features"))):
        some = [r for r in rows if r["part"] == part]
        if some:
            lines += [f"### {title}", "", "| | samples | " + " | ".join(columns) + " |", "|---|" + "---|" * (len(columns) + 1)]
            lines += [f"| {r['name']} | {r['samples']} | " + " | ".join(f"{r[c]:.4f}" if c in r else "" for c in columns) + " |" for r in some] + [""]
    return "\n".join(lines)


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--part", choices=("vae", "joint"))
    p.add_argument("--only", nargs="+", help="names of variants")
    p.add_argument("--steps", type=int, default=300)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--table", type=pathlib.Path)
    a = p.parse_args()
    a.work = a.work.resolve()
    for name, options in {"vae": VAE, "joint": JOINT}.get(a.part, {}).items():
        if not a.only or name in a.only:
            train(a.work, a.part, name, options, a.steps, a.batch)
    if a.table:
        a.table.write_text(table(a.work))
