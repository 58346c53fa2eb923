"""Short trainings that differ in one thing each, side by side, and what they reach on held-out scenes: a table for README.md.

    python ablate.py --work DIR --part vae --steps 300            autoencoders; each variant trains in DIR/ablate/NAME on the scenes of DIR
    python ablate.py --work DIR --part joint --steps 400          the joint stage on DIR's autoencoder
    python ablate.py --work DIR --part reference --steps 400 --batch 12 --binary realword    what sees the reference, anew on DIR's frozen base
    python ablate.py --work DIR --table results/ablations.md      what there is, as a table

The same steps, batch and samples for every variant of a part, so a busy machine makes it slower, not different. Figures are means over
held-out scenes with the averaged weights: errors inside subjects for autoencoders, the joint stage's own losses with twins as references.

The last part is the paper's training and its Tables VIII, X and XI: DIR/start.safetensors is the base. It looks at development individuals only (evaluate/cases.py):
what the reference takes off the velocity's error on their scenes, each with and without it under the same noise, and with --binary their pictures by the Go
program, before the judges. --table FOLDER puts its tables beside those of evaluate/tables.py.
"""
import argparse, contextlib, json, os, pathlib, statistics, subprocess, sys, time
import torch
from store import Store, draw, floats

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE / "evaluate"))
VAE = {"f4c4": ["--latent", "f4c4"], "f8c8": ["--latent", "f8c8"], "f8c16": ["--latent", "f8c16"], "f4c4, rate 1e-3": ["--latent", "f4c4", "--lr", "1e-3"],
       "f4c4, rate 4e-3": ["--latent", "f4c4", "--lr", "4e-3"]}
JOINT = {"from the embedded model": ["--start", "{work}/start.safetensors"], "from nothing": [], "rate 1e-3": ["--start", "{work}/start.safetensors", "--lr", "1e-3"],
         "rate 4e-3": ["--start", "{work}/start.safetensors", "--lr", "4e-3"], "without the features loss": ["--start", "{work}/start.safetensors", "--without", "features"],
         "without the correspondence loss": ["--start", "{work}/start.safetensors", "--without", "correspondence"]}
FROZEN = ["--start", "{work}/start.safetensors", "--anew", "--lr", "3e-3", "--frozen"]
REFERENCE = {"frozen": FROZEN, "joint": [*FROZEN[:3], "--lr", "1e-3"], "joint, rate 3e-3": FROZEN[:-1], "shallow": [*FROZEN, "--features", "shallow"], "deep": [*FROZEN, "--features", "deep"], "single": [*FROZEN, "--data", "single"],
             "no crop": [*FROZEN, "--crop", "none"], "frozen, another seed": [*FROZEN, "--seed", "6"], "velocity alone": [*FROZEN, "--without", "attention", "correspondence"],
             "multiview": [*FROZEN, "--data", "multiview"], "random crop": [*FROZEN, "--crop", "random"], "half": [*FROZEN, "--data", "half"]}


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
    total, g = {}, torch.Generator().manual_seed(0)
    for k in range(0, count, batch):
        t = (torch.arange(batch) + torch.rand(batch, generator=g)) / batch
        b = draw(store, batch, 4, 0, 1.0, 1.0, g, t[torch.randperm(batch, generator=g)], empty)
        for name, v in joint(b, b["target"], Plain()).items():
            total[name] = total.get(name, 0) + v.item() * batch / count
    return total


@torch.no_grad()
def with_and_without(work, count=240, batch=8):
    """Scenes of development individuals, a twin as reference, every noise level equally often: the velocity's error with the reference, what the
    reference takes off it (and by batch: `gains`), and how well the visual attention finds the place."""
    import cases
    from fast import Precision, explicit_attention
    from joint import Joint
    from model import load
    model, tokenizer = load(work)
    fixed = cases.load(work)
    wanted = {fixed["identities"][k]["individual"] for c in fixed["cases"] if c["set"] == "dev" for k in c["identities"]}
    store, path = Store(), sorted(work.glob("test-*-meta.json"))[0]
    store.add(str(path)[:-len("-meta.json")], tokenizer)
    scenes = json.loads(path.read_text())
    store.plain = torch.tensor([i for i in store.plain.tolist() if scenes[i]["individuals"][0] in wanted])
    store.latents = torch.zeros(len(store), 1, 4, 32, 32)
    for i in store.plain.split(20):
        store.latents[i, 0] = model.vae.encode(floats(store.pictures[i])).latent_dist.mean * model.vae.config.scaling_factor
    explicit_attention()
    joint, empty, g, rows, precision = Joint(model), torch.from_numpy(tokenizer("")[0]), torch.Generator().manual_seed(0), [], Precision("cpu")
    for k in range(0, count, batch):
        t = (torch.arange(batch) + torch.rand(batch, generator=g)) / batch
        b = draw(store, batch, 0, 0, 1.0, 1.0, g, t[torch.randperm(batch, generator=g)], empty)
        seen = joint(b, None, precision)
        without = joint(b | dict(on=[torch.zeros_like(m) for m in b["on"]]), None, precision)
        rows.append((seen["velocity"].item(), (without["velocity"] - seen["velocity"]).item(), seen["correspondence"].item()))
    velocity, gain, found = zip(*rows)
    return dict(velocity=statistics.mean(velocity), correspondence=statistics.mean(found), gains=gain)


def judged(work, name, binary, setting="default"):
    """The development pictures of what a folder has trained, made by the Go program and judged: score.figures."""
    import cases, export, run, score  # of evaluate/
    if not (work / "bundle").exists():
        export.export(work, work / "checkpoint")
        subprocess.run([binary, "model", "import", work / "checkpoint", "--out", work / "bundle"], check=True, stdout=subprocess.DEVNULL)
    panel = score.Panel(work)
    some = cases.choose(panel.cases, "dev")
    run.run(work, binary, work / "bundle", name, some, setting, 1)
    rows = panel.look(some, panel.folder(name, setting))
    own = [r["subjects"][0]["own"] for r in rows]
    return score.figures(panel, rows) | {"identity cosine ±": statistics.stdev(own) / len(own) ** .5}


class Plain:
    """Float32, as Precision says it."""

    def autocast(self):
        return contextlib.nullcontext()


def autoencoder_errors(work):
    import autoencoder
    from model import load
    model, tokenizer = load(work)
    store = Store()
    store.add(str(sorted(work.glob("test-*-meta.json"))[0])[:-len("-meta.json")], tokenizer)
    return dict(zip(("whole", "inside"), autoencoder.errors(model.vae, store, 200)))


def train(work, part, name, options, steps, batch, binary=None):
    """Trains one variant (if it has not been), measures it, and keeps the figures in its folder."""
    out, kept = folder(work, f"{part}-{name}"), {}
    file = out / "figures.json"
    if file.exists():
        kept = json.loads(file.read_text())
    if not kept:
        start = time.time()
        if part != "vae":
            for f in ("vae.pt", "latents.pt", *(("encoders.pt", "start.safetensors", "evaluate", "judges.pt") if part == "reference" else ())):
                if not (out / f).exists() and (work / f).exists():
                    os.symlink((work / f).resolve(), out / f)
        whole = batch * 4 // 3 if part == "reference" and "--frozen" not in options else batch  # one of four samples has no reference there
        subprocess.run([sys.executable, str(HERE / "toybox.py"), "--work", str(out), "--stage", "vae" if part == "vae" else "joint", "--steps", str(steps), "--batch", str(whole),
                        *(o.format(work=work) for o in options)], check=True, stdout=subprocess.DEVNULL)
        kept = dict(part=part, name=name, steps=steps, samples=steps * batch, seconds=round(time.time() - start))
        kept |= {"vae": autoencoder_errors, "joint": held_out, "reference": with_and_without}[part](out)
    elif not binary or "pictures" in kept:
        return
    if binary:
        kept |= judged(out, out.name, binary)
    file.write_text(json.dumps(kept) + "\n")
    print(name, kept, flush=True)


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


def tables(work, out):
    """What there is of the paper's tables into tables.json and tables.md in the folder `out`, beside those of evaluate/tables.py. Gains are
    1000 times what the reference takes off the velocity's error; their standard errors are of batches, those of "against" of the same batches of two variants."""
    import tables as inference
    found = {r["name"]: r for f in (work / "ablate").glob("*/figures.json") if (r := json.loads(f.read_text()))["part"] == "reference"}
    mean = lambda name, x: {name: 1000 * statistics.mean(x), name + " ±": 1000 * statistics.stdev(x) / len(x) ** .5}
    for name, r in found.items():
        if "gains" not in r:  # text alone
            continue
        r |= mean("gain", r["gains"])
        if "frozen" in found and name != "frozen":
            r |= mean("gain against the first row", [a - b for a, b in zip(r["gains"], found["frozen"]["gains"])])
    for r in found.values():
        r.pop("gains", None)
    file = out / "tables.json"
    result = json.loads(file.read_text()) if file.exists() else {}
    for name, (_, variants) in inference.TRAINED.items():
        result[name] = {label: found[variant] for label, variant in variants.items() if variant in found}
    inference.write(out, result)


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--part", choices=("vae", "joint", "reference"))
    p.add_argument("--only", nargs="+", help="names of variants")
    p.add_argument("--steps", type=int, default=300)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--binary", type=pathlib.Path, help="with --part reference: the Go program, which makes the development pictures")
    p.add_argument("--table", type=pathlib.Path, help="file, or of the last part the folder of tables.md")
    a = p.parse_args()
    a.work = a.work.resolve()
    for name, options in {"vae": VAE, "joint": JOINT, "reference": REFERENCE}.get(a.part, {}).items():
        if not a.only or name in a.only:
            train(a.work, a.part, name, options, a.steps, a.batch, a.binary and a.binary.resolve())
    if a.table and a.table.is_dir():
        tables(a.work, a.table)
    elif a.table:
        a.table.write_text(table(a.work))
