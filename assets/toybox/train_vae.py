"""Trains the autoencoder of the toybox: 128x128 pictures <-> 8x16x16 latents. It learns on 64x64 crops.

    python train_vae.py --work DIR --minutes 14 --compile       resumable; writes DIR/vae.pt and DIR/vae.png
    ./train.sh train_vae.py ...                                 the same as two processes of one thread
    python train_vae.py --work DIR --decoder --minutes 5        more training for the decoder alone, which leaves the latents as they are;
                                                                writes DIR/decoder.pt, which then takes the decoder's place
"""
import argparse, pathlib, time
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from PIL import Image
from data import Scenes
from fast import Team, explicit_attention
from optim import Muon

CONFIG = dict(
    _class_name="AutoencoderKL", in_channels=3, out_channels=3, latent_channels=8, sample_size=128,
    down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4, mid_block_add_attention=False,
    block_out_channels=[32, 64, 96, 128], layers_per_block=1, norm_num_groups=8, act_fn="silu",
)
CROP = 64


def to_tensor(pictures):
    """uint8 [B, H, W, 3] -> float [B, 3, H, W] in -1..1"""
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def crop(picture, rng):
    y, x = rng.integers(0, picture.shape[0] - CROP + 1, 2)
    part = picture[y:y + CROP, x:x + CROP]
    return part[:, ::-1] if rng.random() < .5 else part


def gradients(x):
    return x[..., 1:, :] - x[..., :-1, :], x[..., :, 1:] - x[..., :, :-1]


def loss_of(vae, x, kl_weight=1e-4):
    with torch.autocast("cpu", torch.bfloat16):
        post = vae.encode(x).latent_dist
        y = vae.decode(post.sample()).sample
    mean, logvar = post.mean.float(), post.logvar.float()
    kl = .5 * (mean ** 2 + logvar.exp() - 1 - logvar).mean()
    return difference(y.float(), x) + kl_weight * kl, (y - x).abs().mean(), logvar


def difference(y, x):
    loss = F.l1_loss(y, x) + .5 * F.mse_loss(y, x)
    for a, b in ((y, x), (F.avg_pool2d(y, 2), F.avg_pool2d(x, 2))):  # edges, at two scales, keep the picture crisp
        loss = loss + .5 * sum(F.l1_loss(g, h) for g, h in zip(gradients(a), gradients(b)))
    return loss


def decoder_only(a, team):
    """Trains a copy of the decoder on the latents that latents.py wrote. The clock starts anew with each call."""
    vae, cache = AutoencoderKL.from_config(CONFIG), torch.load(a.work / "latents.pt")
    vae.load_state_dict(torch.load(a.work / "vae.pt")["vae"])
    out = a.work / "decoder.pt"
    if out.exists():
        vae.decoder.load_state_dict(torch.load(out))
    decoder, scenes = vae.decoder.to(memory_format=torch.channels_last), Scenes(a.work)
    params, opt = list(decoder.parameters()), Muon(decoder.named_parameters(), a.lr, weight_decay=1e-3)
    if a.compile:
        decoder.compile(dynamic=False)
    step, start, done, log, cells = 0, time.time(), 0.0, [], CROP // 8
    while done < 1:
        for g in opt.param_groups:
            g["lr"] = .5 * a.lr * min(1, (step + 1) / 50) * (1 - .97 * done)
        rng = np.random.default_rng([9, step, team.rank])
        chosen, corners = rng.integers(0, len(scenes), a.batch), rng.integers(0, 128 // 8 - cells + 1, (a.batch, 2))
        z = torch.stack([cache["latents"][i, :, y:y + cells, x:x + cells] for i, (y, x) in zip(chosen, corners)]).float() / cache["scaling"]
        x = to_tensor(np.stack([scenes.picture(i)[8 * y:8 * y + CROP, 8 * x:8 * x + CROP] for i, (y, x) in zip(chosen, corners)]))
        with torch.autocast("cpu", torch.bfloat16):
            y = decoder(vae.post_quant_conv(z).contiguous(memory_format=torch.channels_last))
        loss = difference(y.float(), x)
        opt.zero_grad()
        loss.backward()
        done, l1 = team.average(params, (time.time() - start) / 60 / a.minutes, (y - x).abs().mean().item())
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        step += 1
        log.append(l1)
        if step % 50 == 0 and team.rank == 0:
            print(f"{time.time() - start:.0f} s step {step} l1 {np.mean(log[-50:]):.4f}", flush=True)
    if team.rank == 0:
        torch.save(decoder.state_dict(), out)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--minutes", type=float, default=14)
    p.add_argument("--batch", type=int, default=32, help="per process")
    p.add_argument("--compile", action="store_true", help="a minute or two more before the first step, a third less per step")
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--decoder", action="store_true")
    a = p.parse_args()
    team = Team()
    explicit_attention()
    torch.manual_seed(0)
    if a.decoder:
        return decoder_only(a, team)
    vae = AutoencoderKL.from_config(CONFIG).to(memory_format=torch.channels_last)
    ema = AutoencoderKL.from_config(CONFIG).requires_grad_(False)
    ema.load_state_dict(vae.state_dict())
    opt = Muon(vae.named_parameters(), a.lr, weight_decay=1e-3)
    step, before, out = 0, 0.0, a.work / "vae.pt"
    if out.exists():
        state = torch.load(out)
        vae.load_state_dict(state["vae"]), ema.load_state_dict(state["ema"]), opt.load_state_dict(state["opt"])
        step, before = state["step"], state["seconds"]
    if a.compile:
        vae.encoder.compile(dynamic=False), vae.decoder.compile(dynamic=False)
    scenes, start, saved, log = Scenes(a.work), time.time(), time.time(), []
    rng = np.random.default_rng([step, team.rank])
    done, params = before / 60 / a.minutes, list(vae.parameters())

    def save(seconds):
        torch.save(dict(vae=vae.state_dict(), ema=ema.state_dict(), opt=opt.state_dict(), step=step, seconds=seconds), out)
        x = to_tensor(np.stack([scenes.picture(i) for i in range(12)]))
        with torch.no_grad():
            y = ema.decode(ema.encode(x).latent_dist.mode()).sample.clamp(-1, 1)
        rows = ((torch.cat([torch.cat(list(x), 2), torch.cat(list(y), 2)], 1) + 1) * 127.5).byte().permute(1, 2, 0).numpy()
        Image.fromarray(rows).save(a.work / "vae.png")

    while done < 1:
        seconds = before + time.time() - start
        for g in opt.param_groups:
            g["lr"] = a.lr * min(1, step / 100) * (1 - done ** 2)
        i = np.sort(rng.integers(0, len(scenes), a.batch))
        x = to_tensor(np.stack([crop(scenes.picture(k), rng) for k in i])).contiguous(memory_format=torch.channels_last)
        loss, l1, logvar = loss_of(vae, x)
        opt.zero_grad()
        loss.backward()
        done, l1 = team.average(params, seconds / 60 / a.minutes, l1.item())
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        opt.step()
        step += 1
        decay = min(.99, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.parameters()), list(vae.parameters()), 1 - decay)
        log.append(l1)
        if step % 50 == 0 and team.rank == 0:
            print(f"{seconds:.0f} s step {step} l1 {np.mean(log[-100:]):.4f} loss {loss.item():.4f} "
                  f"posterior std {(.5 * logvar).exp().mean():.3f}", flush=True)
        if time.time() - saved > 100 and team.rank == 0:
            saved = time.time()
            save(seconds)
    if team.rank == 0:
        save(before + time.time() - start)


if __name__ == "__main__":
    main()
