"""Trains the embedded model from composed scenes to pictures, on a processor or on a graphics card, by the clock.

    python toybox.py --work DIR --render 2 --scenes 24000 --seconds 5400     all stages; the same command goes on where it was stopped
    python toybox.py --work DIR --processes 2 --seconds 5400 --compile       as two processes of one thread: what a busy CPU likes
    python toybox.py --work DIR --stage joint --seconds 3600                 some of the stages: vae, encoders, large, latents, joint
    python toybox.py --work DIR --wall 570 --together --compile --out OUT    all in ten minutes of a card: see device.sh
    python toybox.py --join OUT --work DIR                                   what --out left, as a work folder again

vae       the autoencoder, on crops (autoencoder.py)
encoders  the two image encoders (encoders.py)
large     the autoencoder of the program: pictures of twice the side from the same latents (large.py)
latents   of all scenes, and the linear map from latents to colours for previews
joint     text encoder, U-Net, projector, visual keys and values in one stage: velocity prediction, references fade in over the first
          tenth, one of four samples has none. --frozen trains only what sees the reference, where every sample has one; --eyes the image
          encoders as well

--start FILE begins from other weights, --warm from the embedded model's (warm.py), with FILE's over them where both are given; what is not among the stages then stays as it is. With --anew what sees the reference begins anew all the same.

Each stage has a share of the time (--shares); its clock starts after its first three steps, so compiling costs none of it, and is kept
over restarts. --wall ends everything by the clock on the wall. --together trains autoencoder and encoders at the same time, in processes
of their own, while a third one compiles the U-Net; until that is done, and if it fails, training goes on uncompiled.

Everything random about a step follows from --seed, the step's number and the part of the batch (--parts, by default one per process). So
with --steps a run that was stopped ends where an uninterrupted one would, to the bit, and N processes see the samples of one.
Every two minutes DIR/<stage>.pt is written, whole or not at all; with --out, weights go there too, in pieces of 15 MB (outbox.py), so
that a run that is cut off is not lost. With --show N a sheet and figures of held-out scenes are made at the end (sample.py, evaluate/).
"""
import argparse, atexit, gc, json, os, pathlib, shutil, signal, subprocess, sys, tempfile, time, traceback
BEGAN = time.time()  # before torch, which takes its time
import torch
import torch.nn.functional as F
import autoencoder, encoders, large, norm, outbox
from curriculum import CROP, DATA, FEATURES, choose_features, crop_limit, multiview_share
from fast import Captured, Compiled, Precision, Team, explicit_attention
from flat import Flat
from outbox import write
from store import SIDE, Store, crops, draw, floats, guided
from supply import Supply, lengths

STAGES = ("vae", "encoders", "large", "latents", "joint")
WHOLE = .6  # from here on the autoencoder sees whole pictures, as it does when it is used: the norms' statistics are not those of a part


class Clock:
    """Seconds of one stage's training, over restarts, without its first steps, which compile. end: time.time() at which it has to be over."""

    def __init__(self, total, before=0.0, skip=3, end=None):
        self.total, self.before, self.skip, self.end, self.start = total, before, skip, end, None

    def tick(self, step):
        """Called before each step of this run, counted from 0. Returns the share of the time that is used up."""
        now = time.time()
        if self.start is None and step >= self.skip:
            self.start = now
            if self.end:  # what compiling took is missing, so all is done sooner
                self.total = min(self.total, self.before + max(1e-3, self.end - now))
        return 1.0 if self.end and now >= self.end else min(1.0, self.seconds() / self.total)

    def seconds(self):
        return self.before + (time.time() - self.start if self.start else 0.0)


class Run:
    """One stage: the loop around its step, with clock, log, saving and a tidy stop. networks, functions: what --compile compiles (fast.Compiled)."""

    def __init__(self, a, name, flat, team, seconds, networks=(), extra=None, between=lambda: None, functions=(), ready=lambda: True):
        self.a, self.name, self.flat, self.team, self.extra, self.between = a, name, flat, team, extra or (lambda: {}), between
        self.path, self.seen, self.number, self.stop = a.work / f"{name}.pt", 0, 0, False
        state = torch.load(self.path, map_location="cpu") if self.path.exists() and not a.dry else None
        if state:
            flat.load(state)
            self.seen, self.number = state["seen"], state.get("step", int(state["steps"]))
        self.clock = Clock(seconds, state["seconds"] if state else 0.0, end=a.until)
        self.compiled = Compiled(networks, a.compile, functions, ready)
        for s in (signal.SIGTERM, signal.SIGINT):
            signal.signal(s, self.asked)

    def asked(self, number, frame):
        """Ends behind the step at hand; the second time at once."""
        self.stop = True
        signal.signal(number, signal.SIG_DFL)

    def save(self):
        if self.team.rank == 0 and not self.a.dry:
            state = self.flat.state() | dict(seen=self.seen, step=self.number, seconds=self.clock.seconds()) | self.extra()
            write(self.path, state)
            if self.a.box:
                self.a.box.put(self.name, state)
                self.a.box.write()

    def gradients(self, draw, done, g):
        """Adds up the gradients of this process's parts of the batch. Returns the sum of their figures, as a tensor."""
        total = 0
        for part in range(self.team.rank, self.a.parts, self.team.size):
            g.manual_seed((self.a.seed * 1_000_003 + self.number) * 64 + part)
            total = total + self.backward(draw(done, g))
        return total

    def loop(self, draw, loss_of, lr, warm=100):
        """draw(done, g) -> one part of a batch, a tree of tensors; loss_of(batch) -> (loss to go backwards from, dict of figures as tensors).
        Ends by the clock or by --steps."""
        a, team, flat, say, names = self.a, self.team, self.flat, self.a.say, []

        def backward(batch):
            loss, figures = loss_of(batch)
            loss.backward()
            names[:] = figures
            return torch.stack([v.detach().float() for v in figures.values()])

        self.backward, step_of, rate = Captured(backward, team.device), Captured(flat.step, team.device), torch.zeros((), device=team.device)
        g, step, log, saved = torch.Generator(device=flat.weights.device), 0, None, time.time()
        began, each, ended = time.time(), self.a.parts // team.size, lambda: a.steps is not None and self.number >= a.steps
        done = self.clock.tick(0)
        while done < 1 and not ended() and not self.stop:
            share = self.number / a.steps if a.steps else done
            try:
                numbers = self.gradients(draw, share, g)
            except Exception as e:
                if not self.compiled.give_up(e):
                    raise
                flat.grads.zero_()
                continue
            rate.fill_(lr * min(1, (self.number + 1) / warm) * max(.02, (1 - share) / (1 - a.hold) if share > a.hold else 1))
            if team.size > 1:  # one message: gradients, figures, and the first process's clock
                done, self.stop = team.exchange(flat.grads, numbers, self.clock.tick(step + 1), self.stop)
            else:
                done = self.clock.tick(step + 1)
            if each > 1:
                flat.grads.div_(each)
            step_of(rate)
            step, self.number, self.seen = step + 1, self.number + 1, self.seen + a.batch
            log = numbers / each if log is None else log + numbers / each
            if step % say == 0:
                if team.rank == 0 and not a.dry:
                    *values, skipped = torch.cat([log / say, flat.skipped.view(1)]).tolist()  # the only time that a step waits
                    line = dict(stage=self.name, step=self.number, seen=self.seen, seconds=round(self.clock.seconds(), 1), done=round(done, 4),
                                rate=round(say * a.batch / (time.time() - began), 1), **{k: round(v, 5) for k, v in zip(names, values)})
                    line |= {"skipped": int(skipped)} if skipped else {}
                    with open(a.work / f"{self.name}.jsonl", "a") as f:
                        f.write(json.dumps(line) + "\n")
                    print(" ".join(f"{k} {v}" for k, v in line.items()), flush=True)
                log, began = None, time.time()
            if share < a.hold <= done and not a.steps and team.rank == 0 and not a.dry:  # from here a longer training could go on
                self.save()
                shutil.copy(self.path, self.path.with_name(f"{self.name}-hold.pt"))
            if time.time() - saved > a.save:
                saved = time.time()
                self.save()
            self.between()
            self.compiled.step()
        self.save()
        self.compiled.undo()
        return done >= 1 or ended()


def train_vae(a, team, supply, seconds):
    torch.manual_seed(0)
    store, precision = supply.store, Precision(team.device, a.precision)
    vae = autoencoder.build(a.latent)
    begin(vae, a.start, "vae.")
    vae = vae.to(team.device, memory_format=torch.channels_last)
    flat = Flat(vae.named_parameters(), weight_decay=1e-3, average=.995)
    run = Run(a, "vae", flat, team, seconds, [vae.encoder, vae.decoder], lambda: dict(latent=a.latent), between=lambda: supply.poll(1))

    def draw(done, g):
        n = a.batch // a.parts
        x, share = crops(store, n, 64, g) if done < WHOLE else crops(store, max(1, n // 4), SIDE, g)
        return x, share, *autoencoder.disturbance(x, a.latent, g)

    def loss_of(batch):
        loss, error = autoencoder.loss_of(vae, *batch, precision.autocast())
        return loss, dict(loss=loss, error=error)
    return run.loop(draw, loss_of, a.lr or 2e-3)


def train_large(a, team, supply, seconds):
    from model import load
    precision, folder = Precision(team.device, a.precision), (supply.temporary or a.work)
    pictures = large.Pictures(team.device, folder)
    while len(pictures) < min(a.large, 400) and (supply.running or not len(pictures)):
        time.sleep(.2)
        pictures.poll(), supply.poll(1)
    small = load(a.work, small=True)[0].vae
    vae = large.grow(small)
    if a.start:
        begin(vae, a.start, "large.")
    vae, small = (v.to(team.device, memory_format=torch.channels_last) for v in (vae, small.requires_grad_(False)))
    flat = Flat(vae.named_parameters(), weight_decay=1e-3, average=.995)
    run = Run(a, "large", flat, team, seconds, [vae.encoder, vae.decoder], lambda: dict(latent=large.LEVEL), lambda: (supply.poll(2), pictures.poll(3)))

    def draw(done, g):
        n = max(2, a.batch // a.parts // 2)
        x, share = crops(pictures, n, SIDE, g) if done < WHOLE else crops(pictures, max(1, n // 4), 2 * SIDE, g)
        return x, share, *autoencoder.disturbance(x, large.LEVEL, g)

    def loss_of(batch):
        loss, error, distance = large.loss_of(vae, small, *batch, precision.autocast())
        return loss, dict(loss=loss, error=error, distance=distance)
    return run.loop(draw, loss_of, a.lr or 2e-3)


def begin(module, start, prefix):
    """Fills a module with what the file `start` has of it. start: path, or None for nothing."""
    from model import fill
    if start:
        from safetensors import safe_open
        with safe_open(start, "pt") as f:
            fill(module, {k[len(prefix):]: f.get_tensor(k) for k in f.keys() if k.startswith(prefix)})


@torch.no_grad()
def begin_reference(unet):
    """The text's keys and, halved, its values: the best start for those of the reference."""
    for n, m in unet.unet.named_modules():
        if n.endswith("attn2"):
            m.to_k_vision.weight.copy_(m.to_k.weight)
            m.to_v_vision.weight.copy_(m.to_v.weight).mul_(.5)


def train_encoders(a, team, supply, seconds):
    torch.manual_seed(0)
    store, precision = supply.store, Precision(team.device, a.precision)
    eyes, heads = encoders.build()
    begin(eyes, a.start, "encoders.")
    eyes.to(team.device), heads.to(team.device)
    named = [*eyes.named_parameters(), *(("head." + n, p) for n, p in heads.named_parameters())]
    run = Run(a, "encoders", Flat(named, average=.995), team, seconds, eyes.each.values(), between=lambda: supply.poll(1))

    def loss_of(batch):
        loss, figures = 0.0, {}
        with precision.autocast():
            seen = {n: e(batch[0])[-1] for n, e in eyes.each.items()}
        for n, tokens in seen.items():
            more, said = encoders.loss_of(n, tokens, heads[n], batch)
            loss, figures = loss + more, figures | said
        return loss, figures
    return run.loop(lambda done, g: encoders.twins(store, a.batch // a.parts, 1 + .8 * done, g), loss_of, a.lr or 2e-3)


@torch.no_grad()
def train_latents(a, team, supply, seconds=0):
    """Scaled posterior means of all scenes (and with flips of their mirror images) into the store, now and as more come, and latents.pt with
    the scale and the least-squares map latent -> RGB. The processes share the work; a card makes latents anew each time."""
    from model import load
    store, path, cpu = supply.store, a.work / "latents.pt", team.device.type == "cpu"
    model, trained = load(a.work, small=True)[0], torch.load(a.work / "vae.pt", mmap=True)["steps"].item() if (a.work / "vae.pt").exists() else 0
    kept = torch.load(path, map_location="cpu", mmap=True) if path.exists() else {}
    if kept.get("steps", trained) != trained:  # of another autoencoder
        kept = {}
    factor, c, _ = autoencoder.LEVELS[a.latent]
    kinds, side, n, size = 2 if store.flips else 1, SIDE // factor, len(store), 50 if cpu else 500
    vae, precision = model.vae.to(team.device, memory_format=torch.channels_last), Precision(team.device, a.precision)

    def means(pictures):
        """uint8 [n, 3, SIDE, SIDE] -> half [n, kinds, c, h, w], in batches of one size, the last one filled up."""
        out = torch.zeros(len(pictures), kinds, c, side, side, dtype=torch.float16, device=team.device)
        for i in range(team.rank * size, len(pictures), team.size * size):
            x = pictures[i:i + size]
            pad = size - len(x)
            x = floats(torch.cat([x, x[:1].expand(pad, -1, -1, -1)]) if pad else x)
            for f in range(kinds):
                with precision.autocast():
                    mean = vae.encode((x.flip(-1) if f else x).contiguous(memory_format=torch.channels_last)).latent_dist.mean
                out[i:i + size, f] = mean[:size - pad].half()
        if team.size > 1:
            torch.distributed.all_reduce(out)
        return out

    scenes = store.pictures[:, :, 3::16, 5::16].flatten(1).sum(1).cpu()  # tells whether they are the same, whatever their blocks are called
    if kept.get("count", 0) >= n and torch.equal(kept.get("scenes", scenes[:0])[:n], scenes):
        store._put("latents", 0, kept["latents"][:n])
        scaling = kept["scaling"]
    else:
        if a.compile and cpu:
            vae.encoder.compile(dynamic=False, backend=a.compile)
        raw = means(store.pictures)
        scaling = kept.get("scaling") or 1 / raw[:4000].float().std().item()
        store._put("latents", 0, raw.mul_(scaling))
        if team.rank == 0:
            few = store.latents[:1000, 0].float()
            rgb = F.avg_pool2d(floats(store.pictures[:1000]), factor) / 2 + .5
            points = torch.cat([few.permute(0, 2, 3, 1).reshape(-1, c), torch.ones(few.shape[0] * side * side, 1, device=team.device)], 1)
            solution = torch.linalg.lstsq(points.cpu(), rgb.permute(0, 2, 3, 1).reshape(-1, 3).cpu()).solution
            write(path, dict(latents=store.latents.cpu() if cpu else None, count=n if cpu else 0, scenes=scenes, steps=trained, scaling=scaling,
                             latent_rgb=solution[:c].tolist(), latent_rgb_bias=solution[c].tolist()))
            print(f"latents: {n} x {kinds}, scaling {scaling:.4f}, deviations {few.std((0, 2, 3)).tolist()}", flush=True)
        if team.size > 1:
            torch.distributed.barrier()  # the others read what the first one wrote
    if team.size == 1:
        store.encoder = torch.no_grad()(lambda pictures: means(pictures).mul_(scaling))
    return True


def train_joint(a, team, supply, seconds):
    import joint as maps
    from joint import GUIDED, WEIGHTS, Joint
    from model import build, load
    store = supply.store
    if a.dry:
        factor, c, _ = autoencoder.LEVELS[a.latent]
        store.encoder, scaling = lambda p: torch.randn(len(p), 1 + store.flips, c, SIDE // factor, SIDE // factor, device=team.device).half(), 1.0
        store.encode()
    else:
        if not hasattr(store, "latents"):
            train_latents(a, team, supply)
        scaling = torch.load(a.work / "latents.pt", mmap=True)["scaling"]
    torch.manual_seed(0)
    model, tokenizer = build(a.work, a.latent, scaling)
    choose_features(model.encoders, a.features)
    begin_reference(model.unet)
    begin(model, a.start, "")
    if a.anew:
        torch.manual_seed(a.seed)
        model.unet.projector.load_state_dict(build(a.work, a.latent)[0].unet.projector.state_dict())
        begin_reference(model.unet)
    if (a.work / "encoders.pt").exists() and not a.dry:
        model.encoders.load_state_dict(load(a.work)[0].encoders.state_dict())
    model.requires_grad_(False).to(team.device)
    joint = Joint(model).to(team.device)
    begin(joint.head, a.start, "head.")
    named = joint.named(a.frozen, a.eyes > 0, a.looks)
    for _, p in named:
        p.requires_grad_(True)
    model.unet.to(memory_format=torch.channels_last)
    if team.device.type == "cuda" and not a.eyes and a.precision == "bf16":
        model.encoders.to(torch.bfloat16)  # they do not learn: see networks.Encoder
    flat = Flat(named, average=.998, rates=[("encoders.", a.eyes)])
    run = Run(a, "joint", flat, team, seconds, [model.unet.unet], lambda: dict(features=a.features), lambda: supply.poll(3),
              [(maps, "attention_loss"), (maps, "correspondence_loss")], a.ready)
    precision, batch = Precision(team.device, a.precision), a.batch // a.parts
    free = 0 if a.frozen else batch // 4  # a frozen base learns nothing from samples without a reference
    pairs = (batch - free) // 6
    empty = torch.from_numpy(tokenizer("")[0]).to(team.device)

    def one_part(done, g):
        # one noise level of each slice, in a random order: less noise in the loss than independent ones
        order = torch.rand(batch, generator=g, device=team.device).argsort()
        t = (order + torch.rand(batch, generator=g, device=team.device)) / batch
        b = draw(store, batch, pairs, free, multiview_share(done, a.data, start=.35, speed=1.4), crop_limit(done, a.crop, share=.28), g, t, empty)
        if not a.start and not a.frozen:  # references fade in
            there = min(1.0, done / .1)
            b["on"] = [m * (torch.rand(len(m), 1, 1, generator=g, device=m.device) < there) for m in b["on"]]
        if a.guide:
            few = a.guide // a.parts
            order = torch.rand(few, generator=g, device=team.device).argsort()
            t = 1 - (1 - GUIDED) * (order + torch.rand(few, generator=g, device=team.device)) / few
            b["guide"] = guided(store, few, few // 3, g, t)
        return b

    def loss_of(b):
        figures = joint(b, None if a.frozen or "features" in a.without else b["target"], precision, a.frozen)
        if a.guide:
            figures |= joint.guide(b["guide"], precision)
        return sum(WEIGHTS[k] * v for k, v in figures.items() if k not in a.without), figures
    return run.loop(one_part, loss_of, a.lr or 2e-3)


def together(a, supply):
    """Trains autoencoder and encoders in processes of their own, at the same time, while a third compiles the U-Net into the cache that
    compiling in this one will find. Fills the store meanwhile. a.ready tells from now on whether the cache is ready."""
    keep = {"--work": a.work, "--latent": a.latent, "--seed": a.seed, "--device": a.device, "--precision": a.precision, "--say": a.say, "--seconds": 1e6, "--hold": a.hold}
    if a.start:
        keep["--start"] = a.start
    also = [x for f in supply.folders[1:] for x in ("--also", f)]
    if a.steps:
        keep["--steps"] = a.steps
    left = a.end - time.time()
    half = max(8, a.batch // 2)

    def start(stage, *more):
        command = [sys.executable, os.path.abspath(__file__), *[x for kv in keep.items() for x in kv], *also, "--stage", stage, *more]
        return subprocess.Popen([str(c) for c in command])

    early = a.shares[0] / sum(a.shares) * left
    running = {s: start(s, "--batch", half, "--blocks", 40, "--wall", early, "--save", max(5, early / 3)) for s in ("vae", "encoders")
               if not (a.work / f"{s}.pt").exists()}
    compiler = start("joint", "--batch", a.batch, "--dry", "--compile", a.compile, "--blocks", 1, "--steps", 3, *(["--frozen"] if a.frozen else [])) if a.compile else None
    atexit.register(lambda: [p.kill() for p in (*running.values(), compiler) if p and p.poll() is None])
    while any(p.poll() is None for p in running.values()):
        supply.poll(1)
        if time.time() > BEGAN + 2 * early + 60:  # they end by themselves, and if not, with what they saved
            [p.kill() for p in running.values()]
        time.sleep(.1)
    for stage in ("vae", "encoders"):
        if stage in running and running[stage].returncode:
            print(f"{stage} ended with status {running[stage].returncode}", flush=True)
        if a.box and (a.work / f"{stage}.pt").exists():
            a.box.put(stage, torch.load(a.work / f"{stage}.pt", map_location="cpu"))
            a.box.write()
    def ready():
        return None if compiler and compiler.poll() is None else bool(compiler) and compiler.returncode == 0
    if ready() is None:
        print("compiling is not done yet", flush=True)
    a.ready = ready


@torch.no_grad()
def show(a, team):
    """A sheet of held-out scenes and their figures into --out, or the work folder."""
    import sample
    from model import load
    out, (model, tokenizer), (count, *more) = a.out or a.work, load(a.work), a.show
    steps = more[0] if more else 25
    model.to(team.device)
    sample.sheet(model, tokenizer, a.work, out / "sheet.png", 2.5, count, stop=steps // 2, steps=steps)
    found = {"guidance": sample.guidance_figures(model, tokenizer, a.work, count), "reference": sample.reference_figures(model, tokenizer, a.work, 2.5, count, steps=steps)}
    (out / "figures.json").write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found["reference"]), flush=True)


def prepare(a):
    """What the work folder lacks: tokenizer and bank, from --given or made."""
    import bank, tokenizer
    a.work.mkdir(parents=True, exist_ok=True)
    if not (a.work / "tokenizer" / "vocab.json").exists():
        if a.given and (a.given / "tokenizer").exists():
            shutil.copytree(a.given / "tokenizer", a.work / "tokenizer", dirs_exist_ok=True)
        else:
            tokenizer.save(a.work / "tokenizer")
    if a.render and not (a.work / "bank.npz").exists():
        if a.given and (a.given / "bank.npz").exists():
            shutil.copy(a.given / "bank.npz", a.work)
        else:
            bank.build(a.work)


def launch(a, argv):
    """Starts the other processes of --processes; this one is the first."""
    os.environ |= dict(WORLD_SIZE=str(a.processes), TEAM="file://" + tempfile.mktemp(), OMP_NUM_THREADS="1")
    others = [subprocess.Popen([sys.executable, *argv], env=os.environ | dict(RANK=str(r)), start_new_session=True) for r in range(1, a.processes)]
    os.environ["RANK"] = "0"
    atexit.register(lambda: [p.kill() for p in others if p.poll() is None])
    return others


def options(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True, help="folder of the run: bank, tokenizer, scenes, and what is trained")
    p.add_argument("--stage", choices=STAGES, action="append", help="only this stage (default: all)")
    p.add_argument("--seconds", type=float, default=5400, help="of training, shared out by --shares")
    p.add_argument("--shares", type=float, nargs=4, default=(.12, .06, .14, .68), metavar=("VAE", "ENCODERS", "LARGE", "JOINT"))
    p.add_argument("--wall", type=float, help="be done so many seconds from now, whatever compiling takes")
    p.add_argument("--steps", type=int, help="end each stage after so many steps altogether instead")
    p.add_argument("--batch", type=int, default=32, help="samples per step, over all parts")
    p.add_argument("--parts", type=int, help="parts of a batch, drawn and computed one by one; a multiple of the processes (default: one for each)")
    p.add_argument("--latent", choices=autoencoder.LEVELS, default="f4c4")
    p.add_argument("--lr", type=float, help="of the stage (default: 2e-3)")
    p.add_argument("--hold", type=float, default=.75, help="share of the time after which the rate falls, in a straight line; the state there is kept as <stage>-hold.pt, from which a longer run can go on")
    p.add_argument("--render", type=int, default=0, metavar="PROCESSES", help="compose scenes in the background")
    p.add_argument("--scenes", type=int, default=24000, help="with --render: how many, with those that are there")
    p.add_argument("--large", type=int, default=6000, metavar="COUNT", help="with --render: how many scenes of twice the side")
    p.add_argument("--blocks", type=int, help="use only the first blocks of scenes")
    p.add_argument("--also", type=pathlib.Path, action="append", default=[], help="another folder where blocks lie or come")
    p.add_argument("--given", type=pathlib.Path, help="folder to copy bank.npz and tokenizer/ from where the work folder has none")
    p.add_argument("--out", type=pathlib.Path, help="where weights land every two minutes, in small files")
    p.add_argument("--join", type=pathlib.Path, metavar="OUT", help="only make the work folder again from what --out left")
    p.add_argument("--save", type=float, default=120, metavar="SECONDS", help="how often")
    p.add_argument("--show", type=int, nargs="+", metavar=("N", "STEPS"), help="draw a sheet of N held-out scenes at the end, and figures")
    p.add_argument("--start", type=pathlib.Path, help="weights to begin from, name -> tensor (warm.py)")
    p.add_argument("--warm", action="store_true", help="begin from the embedded model (warm.py), and train all of it")
    p.add_argument("--eyes", type=float, default=0, metavar="SHARE", help="joint: share of the rate with which the image encoders learn on (default: not at all)")
    p.add_argument("--frozen", action="store_true", help="joint: train only the projector and the visual keys and values, as the paper")
    p.add_argument("--anew", action="store_true", help="joint: projector and visual keys and values begin anew, whatever --start has")
    p.add_argument("--without", nargs="+", default=[], choices=("attention", "correspondence", "features", "shape"), help="joint: losses that are left out")
    p.add_argument("--guide", type=int, default=0, metavar="SAMPLES", help="joint: so many more per step, over all parts, that the guidance branch sees, for the shape of its maps")
    p.add_argument("--looks", action="store_true", help="joint: train only where the U-Net looks, the queries and keys of its attention")
    p.add_argument("--data", choices=DATA, default="curriculum", help="references: the picture itself, another of the subject, half and half, or Eq. 10 (Table X)")
    p.add_argument("--crop", choices=CROP, default="curriculum", help="of references: Eq. 11, its last range from the start, or none (Table XI)")
    p.add_argument("--features", choices=FEATURES, default="both", help="blocks of the image encoders that are used (Table VIII)")
    p.add_argument("--together", action="store_true", help="autoencoder and encoders at the same time; needs --wall")
    p.add_argument("--dry", action="store_true", help="joint: a few steps on random latents, which leave nothing but compiled code")
    p.add_argument("--say", type=int, default=25, help="a line of figures every so many steps")
    p.add_argument("--seed", type=int, default=5)
    p.add_argument("--processes", type=int, default=1)
    p.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    p.add_argument("--precision", choices=("bf16", "fp32"), default="bf16")
    p.add_argument("--compile", nargs="?", const="inductor", metavar="BACKEND", help="of torch.compile")
    a = p.parse_args(argv)
    if a.together and not a.wall:
        p.error("--together needs --wall")
    a.parts = a.parts or max(a.processes, int(os.environ.get("WORLD_SIZE", 1)))
    a.end, a.until, a.ready = BEGAN + a.wall if a.wall else None, None, lambda: True
    a.box = outbox.Outbox(a.out, a.work) if a.out and not a.join else None
    return a


def main(argv=None):
    a = options(argv)
    prepare(a)
    if a.join:
        print(f"{a.work} has {', '.join(outbox.join(a.join, a.work))}")
        if not (a.work / "encoders.pt").exists():  # what was not among the stages is what the run began from
            import warm
            warm.begin(warm.BUNDLE, a.work)
        return
    others = launch(a, [os.path.abspath(__file__), *(sys.argv[1:] if argv is None else argv)]) if a.processes > 1 and "RANK" not in os.environ else []
    team = Team(device=a.device)
    if a.parts % team.size or a.batch % a.parts:
        raise SystemExit(f"batch {a.batch} must be a multiple of parts {a.parts}, and that one of {team.size} processes")
    if team.device.type == "cpu":
        explicit_attention()
    else:
        torch.set_float32_matmul_precision("high")  # without cudnn.benchmark, which takes half a minute and gains little
        if norm.right():
            norm.use()
    from tokenizer import Tokenizer
    cuda, first = team.device.type == "cuda", team.rank == 0
    store = Store(team.device, flips=cuda, room=max(a.scenes if a.render else 0, sum(lengths(a.work, *a.also)[:a.blocks])))
    supply = Supply(store, Tokenizer(a.work / "tokenizer"), a.work, a.also, a.scenes, a.render if first else 0, a.blocks)
    try:
        if a.render and first and "large" in (a.stage or STAGES) and not (a.work / "large.pt").exists():
            supply.compose("--side", 2 * SIDE, "--count", a.large, "--workers", a.render, "--out", supply.temporary or a.work, "--block", min(200, max(25, a.large // (4 * a.render))))
        if a.warm:  # while scenes are composed
            import warm
            more, a.start = a.start, a.work / "start.safetensors"
            if not a.start.exists():
                warm.begin(warm.BUNDLE, a.work, {"vae", "large"} - set(a.stage or STAGES), more)
        if a.show and first and not list(a.work.glob("test-*-meta.json")):
            supply.compose("--split", "test", "--count", max(60, 12 * a.show[0]), "--natural", .5, "--seed", 7, "--workers", 1)
        parent = os.getppid()
        if team.size > 1:  # they see the same scenes
            supply.wait(a.scenes if a.render else 1, lambda: a.render and not first and os.getppid() == parent)
            supply.blocks = 0
        elif not a.together:
            supply.wait(1 if not a.render else min(a.scenes, 1000), lambda: bool(a.also))
        stages = list(a.stage or STAGES)
        if a.show:  # what drawing takes, of the end
            a.end = a.end and a.end - min(45, .12 * a.wall)
        if a.together:
            together(a, supply)
            supply.wait(min(a.scenes, 1000))
            stages = [s for s in stages if s not in ("vae", "encoders") or not (a.work / f"{s}.pt").exists()]  # what failed there is done here
        left = {s: share for s, share in zip(("vae", "encoders", "large", "joint"), a.shares) if s in stages}
        for stage in stages:
            seconds = a.seconds * left.get(stage, 1)
            if a.end and stage in left:  # its share of what is left
                seconds, a.until = 1e9, time.time() + (a.end - time.time()) * left[stage] / sum(left.values())
            left.pop(stage, None)
            try:
                if not globals()["train_" + stage](a, team, supply, seconds):
                    break
            except Exception:
                if stage != "large":  # nothing else needs it
                    raise
                traceback.print_exc()
            signal.signal(signal.SIGTERM, signal.SIG_DFL), signal.signal(signal.SIGINT, signal.default_int_handler)  # they hold the stage's memory
            gc.collect()
            if cuda:
                torch.cuda.empty_cache()
        else:
            if a.show and first and list(a.work.glob("test-*-meta.json")):
                show(a, team)
            supply.close(remove=not a.stage)
    finally:
        supply.close()
    for p in others:
        p.wait()


if __name__ == "__main__":
    main()
