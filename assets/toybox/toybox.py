"""Trains the embedded model from composed scenes to pictures, on a processor or on a graphics card, by the clock.

    python toybox.py --work DIR --seconds 5400                   all stages; goes on where it was stopped
    ./train.sh toybox.py --work DIR --seconds 5400 --compile      as two processes of one thread: what a busy CPU likes
    python toybox.py --work DIR --stage joint --seconds 3600      one stage: vae, encoders, latents or joint

vae       the autoencoder, on crops (autoencoder.py)
decoder   more of the decoder alone, which leaves the latents as they are: at any time, by itself
encoders  the two image encoders (encoders.py)
latents   of all scenes, and the linear map from latents to colours for previews
joint     text encoder, U-Net, projector, visual keys and values in one stage: velocity prediction, references fade in over the first
          tenth, one of four samples has none. --start FILE begins from other weights (warm.py); --frozen trains only what sees the reference

Each stage has a share of the time (--shares); its clock starts after its first three steps, so compiling costs none of it, and is kept
over restarts. Every two minutes DIR/<stage>.pt is written, whole or not at all; with --out, averaged weights in float16 go there too, in
pieces of 15 MB, so that a run that is cut off is not lost. Sheets and figures are made by sample.py and evaluate/.
"""
import argparse, json, os, pathlib, shutil, signal, time
import torch
import torch.nn.functional as F
import autoencoder
from fast import Precision, Team, explicit_attention
from flat import Flat
from store import SIDE, Store, crops, draw, floats

STAGES = ("vae", "encoders", "latents", "joint")
MORE = ("decoder",)  # not part of a whole run


class Clock:
    """Seconds of one stage's training, over restarts, without its first steps, which compile."""

    def __init__(self, total, before=0.0, skip=3):
        self.total, self.before, self.skip, self.start = total, before, skip, None

    def tick(self, step):
        """Called before each step of this run, counted from 0. Returns the share of the time that is used up."""
        if self.start is None and step >= self.skip:
            self.start = time.time()
        return min(1.0, self.seconds() / self.total)

    def seconds(self):
        return self.before + (time.time() - self.start if self.start else 0.0)


def write(path, state):
    """Whole or not at all."""
    torch.save(state, path.with_suffix(".tmp"))
    os.replace(path.with_suffix(".tmp"), path)


def pieces(folder, name, tensors, size=15 << 20):
    """Writes named tensors as safetensors, cut into pieces that fit through a narrow door: NAME.0, NAME.1, ... and NAME.done, which comes last."""
    from safetensors.torch import save
    data = save({k: v.contiguous() for k, v in tensors.items()})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.done").unlink(missing_ok=True)
    for i in range(0, len(data), size):
        (folder / f"{name}.{i // size}").write_bytes(data[i:i + size])
    (folder / f"{name}.done").write_text(str(len(data)))


def join(folder, name):
    """What pieces() wrote: name -> tensor."""
    from safetensors.torch import load
    data = b"".join((folder / f"{name}.{i}").read_bytes() for i in range(len(list(folder.glob(f"{name}.[0-9]*")))))
    if len(data) != int((folder / f"{name}.done").read_text()):
        raise SystemExit(f"{folder}/{name} is not complete")
    return load(data)


class Run:
    """One stage: the loop around its step, with clock, log, saving and a tidy stop."""

    def __init__(self, a, name, flat, team, seconds, extra=None):
        self.a, self.name, self.flat, self.team, self.extra = a, name, flat, team, extra or (lambda: {})
        self.path, self.seen, self.stop = a.work / f"{name}.pt", 0, False
        state = torch.load(self.path, map_location="cpu") if self.path.exists() else None
        if state:
            flat.load(state)
            self.seen = state["seen"]
        self.clock = Clock(seconds, state["seconds"] if state else 0.0)
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stop", True))

    def save(self):
        if self.team.rank == 0:
            write(self.path, self.flat.state() | dict(seen=self.seen, seconds=self.clock.seconds()) | self.extra())
            if self.a.out:
                pieces(self.a.out, self.name, self.flat.averaged())

    def loop(self, one, lr, warm=100, every=120):
        """one(done, g) -> (loss to go backwards from, dict of figures as tensors). Ends by the clock or by --steps."""
        a, team, flat, say = self.a, self.team, self.flat, self.a.say
        g, step, log, saved = torch.Generator(device=flat.weights.device), 0, None, time.time()
        first, began, names = int(flat.steps), time.time(), None
        limit = a.steps or 1 << 60
        done = self.clock.tick(0)
        while done < 1 and step < limit and not self.stop:
            # samples follow from seed, step and process, so that a run goes on as if it had not been stopped
            g.manual_seed((a.seed * 1_000_003 + first + step) * 64 + team.rank)
            share = min(1.0, step / limit) if a.steps else done
            loss, figures = one(share, g)
            loss.backward()
            rate = lr * min(1, (first + step + 1) / warm) * max(.02, (1 - share) / (1 - a.hold) if share > a.hold else 1)
            numbers = torch.stack([v.detach().float() for v in figures.values()])
            if team.size > 1:  # one message: gradients, figures, and the first process's clock
                done, self.stop = team.exchange(flat.grads, numbers, self.clock.tick(step), self.stop)
            else:
                done = self.clock.tick(step)
            flat.step(rate)
            step, self.seen = step + 1, self.seen + a.batch
            log, names = numbers if log is None else log + numbers, list(figures)
            if step % say == 0 and team.rank == 0:
                values = (log / say).tolist()  # the only time that a step waits
                line = dict(stage=self.name, step=first + step, seen=self.seen, seconds=round(self.clock.seconds(), 1), done=round(done, 4),
                            rate=round(say * a.batch / (time.time() - began), 1), **{k: round(v, 5) for k, v in zip(names, values)})
                with open(a.work / f"{self.name}.jsonl", "a") as f:
                    f.write(json.dumps(line) + "\n")
                print(" ".join(f"{k} {v}" for k, v in line.items()), flush=True)
            if step % say == 0:
                log, began = None, time.time()
            if share < a.hold <= done and not a.steps:  # from here a longer training could go on
                self.save()
                if team.rank == 0:
                    shutil.copy(self.path, self.path.with_name(f"{self.name}-hold.pt"))
            if time.time() - saved > every:
                saved = time.time()
                self.save()
        self.save()
        return done >= 1 or step >= limit


def train_vae(a, team, store, seconds):
    return autoencoder_stage(a, team, store, seconds, "vae")


def train_decoder(a, team, store, seconds):
    return autoencoder_stage(a, team, store, seconds, "decoder")


def autoencoder_stage(a, team, store, seconds, name):
    from model import load
    torch.manual_seed(0)
    vae = autoencoder.build(a.latent) if name == "vae" else load(a.work)[0].vae
    vae = vae.requires_grad_(name == "vae").to(team.device, memory_format=torch.channels_last)
    if name == "decoder":
        vae.decoder.requires_grad_(True), vae.post_quant_conv.requires_grad_(True)
    flat = Flat([(n, p) for n, p in vae.named_parameters() if p.requires_grad], weight_decay=1e-3, average=.995)
    run = Run(a, name, flat, team, seconds, lambda: dict(latent=a.latent))
    if a.compile:
        vae.encoder.compile(dynamic=False), vae.decoder.compile(dynamic=False)
    precision = Precision(team.device, a.precision)

    def one(done, g):
        x, share = crops(store, a.batch // team.size, 64, g)
        loss, error = autoencoder.loss_of(vae, x, share, precision.autocast(), g)
        return loss, dict(loss=loss, error=error)
    return run.loop(one, a.lr or 2e-3)


@torch.no_grad()
def train_latents(a, team, store, seconds):
    """Scaled posterior means of all scenes (and of their mirror images on a card) into the store, and latents.pt with the scale and the
    least-squares map latent -> RGB. The processes share the work."""
    from model import load
    model, path = load(a.work)[0], a.work / "latents.pt"
    cells = autoencoder.LEVELS[a.latent]
    n, kinds, side = len(store), 2 if store.flips else 1, SIDE // cells[0]
    kept = torch.load(path, map_location="cpu") if path.exists() else None
    if kept and kept["count"] >= n:
        store.latents = kept["latents"][:n].to(team.device)
        return True
    vae = model.vae.to(team.device, memory_format=torch.channels_last)
    if a.compile:
        vae.encoder.compile(dynamic=False)
    precision, size = Precision(team.device, a.precision), 50 if team.device.type == "cpu" else 500
    means = torch.zeros(n, kinds, cells[1], side, side, dtype=torch.float16, device=team.device)
    for i in range(team.rank * size, n, team.size * size):
        x = store.pictures[i:i + size]
        pad = size - len(x)
        x = floats(torch.cat([x, x[:1].expand(pad, -1, -1, -1)]) if pad else x)
        for f in range(kinds):
            with precision.autocast():
                mean = vae.encode((x.flip(-1) if f else x).contiguous(memory_format=torch.channels_last)).latent_dist.mean
            means[i:i + size, f] = mean[:size - pad].half()
    if team.size > 1:
        torch.distributed.all_reduce(means)
    scaling = 1 / means[:4000].float().std().item()
    store.latents = (means.float() * scaling).half() if team.device.type == "cuda" else means.mul_(scaling)
    if team.rank == 0:
        few, c = store.latents[:1000, 0].float(), cells[1]
        rgb = F.avg_pool2d(floats(store.pictures[:1000]), cells[0]) / 2 + .5
        points = torch.cat([few.permute(0, 2, 3, 1).reshape(-1, c), torch.ones(few.shape[0] * side * side, 1, device=team.device)], 1)
        solution = torch.linalg.lstsq(points.cpu(), rgb.permute(0, 2, 3, 1).reshape(-1, 3).cpu()).solution
        write(path, dict(latents=store.latents.cpu(), count=n, scaling=scaling, latent_rgb=solution[:c].tolist(), latent_rgb_bias=solution[c].tolist()))
        print(f"latents: {n} x {kinds}, scaling {scaling:.4f}, deviations {few.std((0, 2, 3)).tolist()}", flush=True)
    if team.size > 1:
        torch.distributed.barrier()
    return True


def train_joint(a, team, store, seconds):
    from joint import WEIGHTS, Joint
    from model import build, load
    if not hasattr(store, "latents"):
        train_latents(a, team, store, 0)
    torch.manual_seed(0)
    cache = torch.load(a.work / "latents.pt", mmap=True)
    model, tokenizer = build(a.work, a.latent, cache["scaling"])
    if (a.work / "encoders.pt").exists():
        model.encoders.load_state_dict(load(a.work)[0].encoders.state_dict())
    for n, m in model.unet.unet.named_modules():
        if n.endswith("attn2"):  # the text's weights are the best start
            m.to_v_vision.weight.data.mul_(.5)
    if a.start:
        from safetensors.torch import load_file
        named = dict(model.named_parameters())
        for k, v in load_file(a.start).items():
            named[k].data.copy_(v)
    model.requires_grad_(False).to(team.device)
    joint = Joint(model).to(team.device)
    named = joint.named(a.frozen)
    for _, p in named:
        p.requires_grad_(True)
    model.unet.to(memory_format=torch.channels_last)
    flat = Flat(named, average=.998)
    run = Run(a, "joint", flat, team, seconds)
    if a.compile:
        model.unet.unet.compile(dynamic=False)
    precision, batch = Precision(team.device, a.precision), a.batch // team.size
    pairs, free = batch // 8, batch // 4
    empty = torch.from_numpy(tokenizer("")[0]).to(team.device)
    alone = a.precision if a.frozen else None

    def one(done, g):
        # one noise level of each slice, in a random order: less noise in the loss than independent ones
        t = (torch.randperm(batch, generator=g, device=team.device) + torch.rand(batch, generator=g, device=team.device)) / batch
        b = draw(store, batch, pairs, free, min(1.0, .35 + .9 * done), 1 + .6 * done, g, t, empty)
        if not a.start and not a.frozen:  # references fade in
            there = min(1.0, done / .1)
            b["on"] = [m * (torch.rand(len(m), 1, 1, generator=g, device=m.device) < there) for m in b["on"]]
        figures = joint(b, None if alone else b["target"], precision, a.frozen)
        return sum(WEIGHTS[k] * v for k, v in figures.items() if k not in a.without), figures
    return run.loop(one, a.lr or 2e-3)


def options(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True, help="folder of the run: bank, tokenizer, scenes, and what is trained")
    p.add_argument("--stage", choices=STAGES + MORE, action="append", help="only this stage (default: all)")
    p.add_argument("--seconds", type=float, default=5400, help="of training, shared out by --shares")
    p.add_argument("--shares", type=float, nargs=3, default=(.15, .08, .77), metavar=("VAE", "ENCODERS", "JOINT"))
    p.add_argument("--steps", type=int, help="end each stage after so many steps of this run instead")
    p.add_argument("--batch", type=int, default=32, help="samples per step, over all processes")
    p.add_argument("--latent", choices=autoencoder.LEVELS, default="f4c4")
    p.add_argument("--lr", type=float, help="of the stage (default: 2e-3)")
    p.add_argument("--hold", type=float, default=.75, help="share of the time after which the rate falls, in a straight line; the state there is kept as <stage>-hold.pt, from which a longer run can go on")
    p.add_argument("--blocks", type=int, help="use only the first blocks of scenes")
    p.add_argument("--out", type=pathlib.Path, help="where averaged weights land every two minutes, in pieces")
    p.add_argument("--start", type=pathlib.Path, help="joint: weights to begin from, name -> tensor (warm.py)")
    p.add_argument("--frozen", action="store_true", help="joint: train only the projector and the visual keys and values, as the paper")
    p.add_argument("--without", nargs="+", default=[], choices=("attention", "correspondence", "features"), help="joint: losses that are left out")
    p.add_argument("--say", type=int, default=25, help="a line of figures every so many steps")
    p.add_argument("--seed", type=int, default=5)
    p.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    p.add_argument("--precision", choices=("bf16", "fp32"), default="bf16")
    p.add_argument("--compile", action="store_true")
    return p.parse_args(argv)


def main(argv=None):
    a = options(argv)
    team = Team(device=a.device)
    if team.device.type == "cpu":
        explicit_attention()
    else:
        torch.backends.cudnn.benchmark = True
    from tokenizer import Tokenizer
    tokenizer = Tokenizer(a.work / "tokenizer")
    store = Store(team.device)
    for path in sorted(a.work.glob("train-*-meta.json"))[:a.blocks]:
        store.add(str(path)[:-len("-meta.json")], tokenizer)
    store.ready(flips=team.device.type == "cuda")
    share = dict(zip(("vae", "encoders", "joint"), a.shares))
    for stage in a.stage or STAGES:
        ok = globals()["train_" + stage](a, team, store, a.seconds * share.get(stage, 1))
        if not ok:
            break


if __name__ == "__main__":
    main()
