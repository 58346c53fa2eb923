"""Goldens of the samplers: data/samplers.json, traces of diffusers' schedulers over 10, 20 and 30 steps.

A fake network (0.1 z + 0.5 t/1000; in the EDM formulation 0.1 z + 0.05 t) stands for the U-Net, on a vector. z is the latent as the network sees
it, of variance 1: what diffusers' schedulers hold, divided by sqrt(1 + sigma^2) where they hold it unscaled. Their float32 is
float64 here, and fresh noise is given to them instead of drawn. Those that round their timesteps (multistep ones) walk on the
timesteps and sigmas of EulerDiscreteScheduler, as the same samplers do in other programs.
"""

import importlib
import types

import numpy as np
import schedule
import torch
from common import DATA, randn, save_json

START = [[[1.0, -0.5]]]  # batch, channels, values
NOISE = randn(5, 64, 1, 1, 2).double()
STEPS = (10, 20, 30)
BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000)
VELOCITY = dict(prediction_type="v_prediction")
ZERO = VELOCITY | dict(rescale_betas_zero_snr=True)
SPACINGS = {
    "trailing": dict(timestep_spacing="trailing"), "leading": dict(timestep_spacing="leading", steps_offset=1),
    "linspace": dict(timestep_spacing="linspace"), "karras": dict(use_karras_sigmas=True), "exponential": dict(use_exponential_sigmas=True),
}  # fmt: skip


class Double(types.ModuleType):
    """A module whose float32 is float64."""

    def __init__(self, real):
        self.real = real
        self.float32 = real.float64

    def __getattr__(self, name):
        return getattr(self.real, name)


draws = []  # what fresh noise is taken from


def scheduler(module: str, name: str, **config):
    m = importlib.import_module(f"diffusers.schedulers.scheduling_{module}")
    m.torch, m.np = torch, np
    s = getattr(m, name)(**config)
    alphas = getattr(s, "alphas_cumprod", None)
    m.torch, m.np = Double(torch), Double(np)
    m.randn_tensor = lambda *_, **__: draws.pop(0)
    if alphas is not None:
        s.alphas_cumprod = alphas.double()
    return s


def fake(z, t, edm=False):
    return 0.1 * z + (0.05 * t if edm else 0.5 * t / 1000)


def euler_grid(steps: int, spacing: str, **other):
    e = scheduler("euler_discrete", "EulerDiscreteScheduler", **BETAS, **SPACINGS[spacing], **other)
    e.set_timesteps(steps)
    return e


def unit(sigma):
    return (1 + sigma**2) ** 0.5


def one(s, steps: int, edm=False) -> list[dict]:
    """A trace of a scheduler with one evaluation per step that holds unscaled latents."""
    draws[:] = list(NOISE)
    x, trace = torch.tensor(START, dtype=torch.float64) * unit(s.sigmas[0]), []
    for i, t in enumerate(s.timesteps):
        z = x / unit(s.sigmas[i])
        out = s.step(fake(z, t, edm), t, x)
        x = out.prev_sample
        trace.append({"t": float(t), "latent": x / unit(s.sigmas[i + 1]), "x0": out.pred_original_sample})
    assert len(trace) == steps
    return trace


def multistep(s, grid, steps: int, edm=False) -> list[dict]:
    """A trace of one that holds latents of variance 1."""
    s.set_timesteps(steps)
    s.sigmas, s.timesteps = grid.sigmas, grid.timesteps
    draws[:] = list(NOISE)
    z, trace = torch.tensor(START, dtype=torch.float64), []
    for t in s.timesteps:
        v = fake(z, t, edm)
        clean = []
        convert = s.convert_model_output
        s.convert_model_output = lambda *a, **k: clean.append(convert(*a, **k)) or clean[-1]
        z = s.step(v, t, z).prev_sample
        s.convert_model_output = convert
        trace.append({"t": float(t), "latent": z, "x0": clean[0]})
    return trace


def two(s, steps: int, sde: bool) -> list[dict]:
    """A trace of one with two evaluations in every step but the last."""
    s.set_timesteps(steps)
    sigmas = [s.sigmas[0], *s.sigmas[1:-1:2], s.sigmas[-1]] if sde else [s.sigmas[0], *s.sigmas[1::2]]
    assert len(sigmas) == steps + 1
    x, trace, k, noise = torch.tensor(START, dtype=torch.float64) * unit(sigmas[0]), [], 0, list(NOISE)
    for i in range(steps):
        if sde and i < steps - 1:
            # W(sigma) is one Brownian motion: what a step sees of it is made of what its halves see
            first, second, middle = noise.pop(0), noise.pop(0), (sigmas[i] * sigmas[i + 1]) ** 0.5
            share = (sigmas[i] - middle) / (sigmas[i] - sigmas[i + 1])
            both = [first, share**0.5 * first + (1 - share) ** 0.5 * second]
            s.noise_sampler = lambda a, b, both=both: both.pop(0)
        elif sde:
            s.noise_sampler = lambda a, b: 0
        for half in range(2 if i < steps - 1 else 1):
            t = s.timesteps[k]
            k += 1
            sigma = sigmas[i]
            if half:
                sigma = (sigmas[i] * sigmas[i + 1]) ** 0.5 if sde else sigmas[i + 1]
            out = s.step(fake(x / unit(sigma), t), t, x)
            x = out.prev_sample
            if half == 0:
                trace.append({"t": float(t), "x0": out.pred_original_sample})
        trace[-1]["latent"] = x / unit(sigmas[i + 1])
    return trace


def euler(steps, spacing, **other):
    return one(euler_grid(steps, spacing, **other), steps)


def ancestral(steps, spacing, **other):
    s = scheduler("euler_ancestral_discrete", "EulerAncestralDiscreteScheduler", **BETAS, **SPACINGS[spacing], **other)
    s.set_timesteps(steps)
    return one(s, steps)


def heun(steps, spacing, **other):
    return two(scheduler("heun_discrete", "HeunDiscreteScheduler", **BETAS, **SPACINGS[spacing], **other), steps, False)


def sde(steps, spacing, **other):
    return two(scheduler("dpmsolver_sde", "DPMSolverSDEScheduler", **BETAS, **SPACINGS[spacing], **other), steps, True)


def dpm(steps, spacing, algorithm="dpmsolver++", **other):
    s = scheduler("dpmsolver_multistep", "DPMSolverMultistepScheduler", algorithm_type=algorithm, **BETAS, **other)
    return multistep(s, euler_grid(steps, spacing, **other), steps)


def unipc(steps, spacing, **other):
    s = scheduler("unipc_multistep", "UniPCMultistepScheduler", **BETAS, **other)
    return multistep(s, euler_grid(steps, spacing, **other), steps)


def lcm(steps, _, **other):
    s = scheduler("lcm", "LCMScheduler", **BETAS, **other)
    s.final_alpha_cumprod = torch.tensor(1.0, dtype=torch.float64)
    s.set_timesteps(steps)
    draws[:] = list(NOISE)
    z, trace = torch.tensor(START, dtype=torch.float64), []
    for t in s.timesteps:
        out = s.step(fake(z, t), t, z)
        z = out.prev_sample
        trace.append({"t": float(t), "latent": z, "x0": out.denoised})
    return trace


def ddim(steps, _, **other):
    schedule.START, before = START[0][0], schedule.START
    trace = schedule.ddim(steps, **other)[1]
    schedule.START = before
    return [{"t": s["t"], "latent": torch.tensor(s["latent"]), "x0": torch.tensor(s["x0"])} for s in trace]


def edm_euler(steps, spacing):
    s = scheduler("edm_euler", "EDMEulerScheduler", sigma_min=0.002, sigma_max=120.0, sigma_data=1.0, sigma_schedule=spacing, **VELOCITY)
    s.set_timesteps(steps)
    return one(s, steps, edm=True)


def edm_dpm(steps, spacing):
    e = scheduler("edm_euler", "EDMEulerScheduler", sigma_min=0.002, sigma_max=120.0, sigma_data=1.0, sigma_schedule=spacing, **VELOCITY)
    e.set_timesteps(steps)
    s = scheduler("dpmsolver_multistep", "DPMSolverMultistepScheduler", **BETAS, **VELOCITY)
    return multistep(s, e, steps, edm=True)


CASES = {
    "euler": [(euler, s) for s in SPACINGS], "euler-a": [(ancestral, "linspace"), (ancestral, "trailing"), (ancestral, "leading")],
    "heun": [(heun, "linspace"), (heun, "karras")], "dpm++2m": [(dpm, "linspace"), (dpm, "karras"), (dpm, "trailing")],
    "dpm++2msde": [(lambda n, s: dpm(n, s, "sde-dpmsolver++"), s) for s in ("linspace", "karras")],
    "dpm++sde": [(sde, "linspace"), (sde, "karras")], "unipc": [(unipc, "linspace"), (unipc, "karras"), (unipc, "trailing")],
    "lcm": [(lcm, "")],
}  # fmt: skip
KINDS = {
    "velocity": {"euler": (lambda n, s: euler(n, s, **VELOCITY), "trailing"), "dpm++2m": (lambda n, s: dpm(n, s, **VELOCITY), "karras"),
                 "heun": (lambda n, s: heun(n, s, **VELOCITY), "linspace"), "lcm": (lambda n, s: lcm(n, s, **VELOCITY), "")},
    "zero": {"euler": (lambda n, s: euler(n, s, **ZERO), "trailing"), "dpm++2m": (lambda n, s: dpm(n, s, **ZERO), "trailing"),
             "euler-a": (lambda n, s: ancestral(n, s, **ZERO), "trailing"), "unipc": (lambda n, s: unipc(n, s, **ZERO), "trailing"), "ddim": (lambda n, s: ddim(n, s, **ZERO), "")},
    "edm": {"euler": (edm_euler, "karras"), "dpm++2m": (edm_dpm, "exponential")},
}  # fmt: skip


def plain(trace):
    return [{"t": s["t"], "latent": [float(f"{v:.9g}") for v in s["latent"].flatten().tolist()], "x0": [float(f"{v:.9g}") for v in s["x0"].flatten().tolist()]} for s in trace]


def make() -> None:
    out = {"start": START[0][0], "noise": NOISE.flatten(1).tolist(), "traces": []}
    cases = [("epsilon", name, *c) for name, list in CASES.items() for c in list]
    cases += [(kind, name, *c) for kind, all in KINDS.items() for name, c in all.items()]
    for kind, name, run, spacing in cases:
        for steps in STEPS:
            out["traces"].append({"kind": kind, "sampler": f"{name}-{spacing}" if spacing else name, "steps": plain(run(steps, spacing))})
    zero = scheduler("ddim", "DDIMScheduler", **BETAS, **ZERO)
    out["zero_alphas_cumprod"] = zero.alphas_cumprod.tolist()
    save_json(DATA / "samplers.json", out)
