"""Trains the reference branch of a released base, SD 1.5 or SDXL, on tar shards. The toybox has a training of its own: toybox.py.

    torchrun --nproc_per_node 8 train.py --work DIR --config configs/sdxl.json

A config is JSON: "options" are defaults for this command line, "model" (pretrained.py) and "data" (webdata.py) say what is trained on
what. As in the paper the base stays as it is, with --frozen, and the projector (CCP) and the visual keys and values learn.

Everything random about a step follows from --seed and the step's number, sample by sample. So a run that was stopped goes on exactly
where it was, and N processes see the same samples as one with the same --batch, which counts over all of them. Writes DIR/reference.pt
(weights, averaged weights, optimizer, step) every two minutes and when it is asked to stop (Ctrl-C, SIGTERM), one line per 25 steps
to DIR/reference.jsonl, and their curves to DIR/reference-loss.png.
"""
import argparse, contextlib, json, pathlib, time
import numpy as np
import torch
import torch.nn.functional as F
import curves
from curriculum import CROP, DATA, FEATURES, choose_features
from fast import TYPES, Precision, Team, explicit_attention
from joint import attention_loss
from networks import Schedule
from optim import Muon
from pretrained import prepare
from tokenizer import LENGTH
from watch import Bar, Stop


def weight_of(schedule, t):
    """min-SNR weighting, with a floor: what the text decides (place, colours) is decided where the signal is weakest."""
    alphas = schedule.alphas.to(t.device)[t]
    snr = alphas / (1 - alphas)
    return ((snr.clamp(max=5) + .1) / snr).view(-1, 1, 1, 1)


def predict(model, b, noised, text_learns, projected=True):
    """The noise that the model sees in a batch, and the taps of its attention where the batch marks words.

    b: ids [B, 77] or [B, text encoders, 77], t [B]; optional marks [B, 2, 77], time_ids [B, 6], and per subject squares, on (zero where there is none).
    """
    with contextlib.nullcontext() if text_learns else torch.no_grad():
        text = model.text(*b["ids"].view(len(b["ids"]), -1, LENGTH).unbind(1))
    vision, on, added = [], [], {}
    for squares, mask in zip(b.get("squares", ()), b.get("on", ())):
        vision.append(model.visual_tokens(squares))
        on.append(mask[:, None])
    if model.unet.unet.config.addition_embed_type == "text_time":
        added = dict(text_embeds=(text.projected if projected else text.pooled), time_ids=b["time_ids"])
    marks = b.get("marks")
    return model.unet(noised, b["t"], text.hidden, vision, on, marks, taps_vision=bool(vision) and marks is not None, **added)


def losses(model, b, schedule, precision, a):
    """(error of the noise, attention loss), the latter zero where a batch has no words with masks."""
    with precision.autocast():
        z, noise, t = b["z"], b["noise"], b["t"]
        noised = schedule.add_noise(z, noise, t).contiguous(memory_format=torch.channels_last)
        predicted, maps = predict(model, b, noised, text_learns=not a.frozen, projected=a.pooled == "projected")
    error = (predicted.float() - noise) ** 2
    if a.weighting == "min-snr":
        error = weight_of(schedule, t) * error
    if "masks" in b:
        inside = b["masks"].sum(1, keepdim=True).clamp(max=1)
        error = error * (.6 + F.interpolate(inside, size=z.shape[-2:], mode="bilinear", align_corners=False))
    focus = attention_loss([m for m in maps if m.kind == "cross"], b["masks"]) if "marks" in b else torch.zeros((), device=z.device)
    return error.mean(), focus


def move(x, device):
    """Tensors in dicts and lists, to the device."""
    if isinstance(x, dict):
        return {k: move(v, device) for k, v in x.items()}
    if isinstance(x, list):
        return [move(v, device) for v in x]
    return x.to(device, non_blocking=True) if isinstance(x, torch.Tensor) else x


def options(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, help="folder of the run")
    p.add_argument("--config", type=pathlib.Path, help="JSON file with defaults for these options, and the model and data of SD 1.5 or SDXL")
    p.add_argument("--steps", type=int, help="end after so many")
    p.add_argument("--batch", type=int, default=40, help="samples per step, over all processes")
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--optimizer", choices=("muon", "adamw"), default="muon")
    p.add_argument("--frozen", action=argparse.BooleanOptionalAction, default=False, help="train only what sees the reference")
    p.add_argument("--attention", type=float, default=.05, help="weight of the attention loss")
    p.add_argument("--weighting", choices=("min-snr", "none"), default="min-snr", help="of the timesteps")
    p.add_argument("--data", choices=DATA, default="curriculum", help="references: the picture itself, another of the subject, half and half, or Eq. 10 (Table X)")
    p.add_argument("--crop", choices=CROP, default="curriculum", help="of references: Eq. 11, its last range from the start, or none (Table XI)")
    p.add_argument("--features", choices=FEATURES, default="both", help="blocks of the image encoders that are used (Table VIII)")
    p.add_argument("--pooled", choices=("projected", "unprojected"), default="projected", help="text vector of SDXL; the release trained on the unprojected one")
    p.add_argument("--seed", type=int, default=5)
    p.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    p.add_argument("--precision", choices=tuple(TYPES), default="bf16")
    p.add_argument("--checkpointing", action=argparse.BooleanOptionalAction, default=False, help="compute the U-Net's activations twice instead of keeping them")
    p.add_argument("--compile", action=argparse.BooleanOptionalAction, default=False, help="two minutes more before the first step, a third less per step")
    config = p.parse_known_args(argv)[0].config
    config = json.loads(config.read_text()) if config else {}
    given = config.pop("options", {})
    unknown = [k for k in given if k not in {o.dest for o in p._actions}] + [k for k in config if k not in ("model", "data")]
    if unknown:
        p.error(f"the config has entries that mean nothing here: {', '.join(unknown)}")
    p.set_defaults(**given)
    a = p.parse_args(argv)
    a.model, a.shards = config.get("model"), config.get("data")
    if not (a.work and a.steps and a.model and a.shards):
        p.error("give --work, --steps and a --config with \"model\" and \"data\"")
    return a


def main(argv=None):
    """Trains. Returns the model and the figures of every step of this run: loss, attention loss."""
    a = options(argv)
    team = Team(device=a.device)
    if team.device.type == "cpu":
        explicit_attention()
    torch.manual_seed(0)
    a.work.mkdir(parents=True, exist_ok=True)
    out = a.work / "reference.pt"
    state = torch.load(out, map_location="cpu") if out.exists() else None
    step, before = (state["step"], state["seconds"]) if state else (0, 0.0)
    model, _, samples = prepare(a, team, step)
    choose_features(model.encoders, a.features)
    unet, precision = model.unet, Precision(team.device, a.precision)
    for n, m in unet.unet.named_modules():
        if n.endswith("attn2"):  # the text's weights as they are now are the best start
            m.to_k_vision.weight.data.copy_(m.to_k.weight.data)
            m.to_v_vision.weight.data.copy_(.5 * m.to_v.weight.data)
    train = {n: q for n, q in model.named_parameters() if not n.startswith(("vae", "encoders")) and ("_vision" in n or not a.frozen)}
    model.requires_grad_(False).to(team.device)
    params = list(train.values())
    for q in params:
        q.requires_grad_(True)
        q.grad = torch.zeros_like(q)
        if team.size > 1:
            torch.distributed.broadcast(q.data, 0)
    unet.to(memory_format=torch.channels_last)
    opt = Muon(train.items(), a.lr) if a.optimizer == "muon" else torch.optim.AdamW(params, a.lr, weight_decay=.01)
    ema = {n: q.detach().clone() for n, q in train.items()}
    if state:
        for n, q in train.items():
            q.data.copy_(state["now"][n])
        ema = move(state["ema"], team.device)
        opt.load_state_dict(state["opt"])
        if "scaler" in state and precision.scaler.is_enabled():
            precision.scaler.load_state_dict(state["scaler"])
        del state
    if team.rank == 0:
        print(f"reference: {sum(q.numel() for q in params) / 1e6:.2f} M parameters to train, from step {step}", flush=True)
    if a.checkpointing:
        unet.unet.enable_gradient_checkpointing()
    if a.compile:
        unet.unet.compile(dynamic=False)
    schedule, places = Schedule(), range(team.rank, a.batch, team.size)
    start = saved = time.time()
    done, log, clock, bar = step / a.steps, [], np.zeros(3), Bar()

    def save(seconds):
        state = dict(ema=ema, now={n: q.data for n, q in train.items()}, opt=opt.state_dict(), step=step, seconds=seconds, seen=step * a.batch)
        if precision.scaler.is_enabled():
            state["scaler"] = precision.scaler.state_dict()
        if a.features != "both":
            state["features"] = a.features
        if a.pooled != "projected":
            state["pooled"] = a.pooled
        torch.save(state, out.with_suffix(".tmp"))
        out.with_suffix(".tmp").rename(out)
        lines = out.with_suffix(".jsonl")
        if lines.exists():
            curves.draw({"reference": curves.read(lines)}, a.work / "reference-loss.png")

    def report():
        m, share = np.mean(log[-100:], 0), clock / clock.sum()
        return (f"{seconds:.0f} s step {step} seen {step * a.batch} ({(step * a.batch) / seconds:.0f}/s) loss {m[0]:.4f} attention {m[1]:.4f} "
                f"(drawing {share[0]:.0%}, networks {share[1]:.0%}, optimizer {share[2]:.0%})")

    stopped = False
    with Stop() as stop:
        while done < 1 and not stopped:
            seconds = before + time.time() - start
            for g in opt.param_groups:
                g["lr"] = a.lr * min(1, (step + 1) / 100) * (1 - .98 * done ** 1.3)
            marks = [time.time()]
            b = move(samples.batch(step, places, done), team.device)
            marks.append(time.time())
            with torch.no_grad():  # one by one and in float32: large pictures, and SDXL's autoencoder overflows in fp16
                b["z"] = torch.cat([model.latents(x) for x in b["pictures"].split(1)])
            loss, focus = losses(model, b, schedule, precision, a)
            precision.scaler.scale(loss + (0 if a.frozen else a.attention) * focus).backward()
            marks.append(time.time())
            asked, *figures = team.average(params, float(stop.asked), loss.item(), focus.item())
            precision.scaler.unscale_(opt)
            torch.nn.utils.clip_grad_norm_(params, 1.0)
            precision.scaler.step(opt)
            precision.scaler.update()
            for q in params:
                q.grad.zero_()
            step += 1
            stopped = asked > 0  # all of the team, or none
            done = step / a.steps
            decay = min(.9985, (1 + step) / (10 + step))
            with torch.no_grad():
                torch._foreach_lerp_(list(ema.values()), [q.data for q in params], 1 - decay)
            marks.append(time.time())
            log.append(figures)
            clock += np.diff(marks)
            if team.rank != 0:
                continue
            if step % 25 == 0:
                last = np.mean(log[-25:], 0)
                with open(out.with_suffix(".jsonl"), "a") as f:
                    f.write(json.dumps(dict(step=step, seen=step * a.batch, seconds=round(seconds, 1), loss=last[0], attention=last[1])) + "\n")
            bar.show(step, done, report)
            if time.time() - saved > 120:
                saved = time.time()
                save(seconds)
    bar.close()
    if team.rank == 0:
        save(before + time.time() - start)
    if team.size > 1:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
    return model, np.array(log)


if __name__ == "__main__":
    main()
