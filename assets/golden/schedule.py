"""Goldens of noise schedule and samplers: data/schedule.json.

alphas and timesteps come from diffusers' DDIMScheduler (trailing spacing); the traces run a fake network
eps = 0.1 z + 0.5 t/1000 on a vector, for DDIM through diffusers, for the released DPM-Solver++ (orders 1 1 2 1 2 ..., which
diffusers does not offer) through networks.DPMSolver; the same again with the fake network's output as velocity and other betas. All in float64 but for the cumulative product, which is float32.
"""

import torch
from common import DATA, save_json
from diffusers import DDIMScheduler
from networks import DPMSolver, Schedule

START = [1.0, -0.5, 0.0, 2.5]


def fake(z: torch.Tensor, t: int) -> torch.Tensor:
    return 0.1 * z + 0.5 * t / 1000


def ddim(steps: int, **other) -> tuple[list[int], list[dict]]:
    scheduler = DDIMScheduler(**dict(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="trailing",
        clip_sample=False, set_alpha_to_one=True, steps_offset=0,
    ) | other)  # fmt: skip
    scheduler.set_timesteps(steps)
    scheduler.alphas_cumprod = scheduler.alphas_cumprod.double()
    scheduler.final_alpha_cumprod = scheduler.final_alpha_cumprod.double()
    z, trace = torch.tensor(START, dtype=torch.float64), []
    for t in scheduler.timesteps.tolist():
        # diffusers steps by 1000 // n, which is only right where n divides 1000: say the next timestep ourselves
        following = next((u for u in scheduler.timesteps.tolist() if u < t), -1)
        scheduler.config.num_train_timesteps, scheduler.num_inference_steps = (t - following) * steps, steps
        out = scheduler.step(fake(z, t), t, z)
        z = out.prev_sample
        trace.append({"t": t, "latent": z.tolist(), "x0": out.pred_original_sample.tolist()})
    return scheduler.timesteps.tolist(), trace


VELOCITY = dict(beta_end=0.016, prediction_type="v_prediction")


def dpm(steps: int, velocity: bool = False) -> list[dict]:
    schedule = Schedule(beta_end=VELOCITY["beta_end"]) if velocity else Schedule()
    solver, z, trace = DPMSolver(schedule, steps), torch.tensor(START, dtype=torch.float64), []
    for i, t in enumerate(solver.timesteps):
        noise = fake(z, t)
        if velocity:
            alpha, sigma = schedule.signal(t)
            noise = alpha * noise + sigma * z
        z, x0 = solver.step(i, noise, z)
        trace.append({"t": t, "latent": z.tolist(), "x0": x0.tolist()})
    return trace


def make() -> None:
    alphas = Schedule().alphas
    stock = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear").alphas_cumprod
    assert torch.equal(alphas, stock)
    out = {"alphas_cumprod": [float(a) for a in alphas], "start": START, "timesteps": {}, "ddim": {}, "dpm++": {}, "ddim_velocity": {}, "dpm++_velocity": {}}
    for steps in (1, 2, 10, 25, 30, 50, 61, 100):
        timesteps, trace = ddim(steps)
        assert timesteps[:steps] == Schedule().timesteps(steps)
        out["timesteps"][str(steps)] = Schedule().timesteps(steps)
        if steps in (2, 25, 30, 50):
            out["ddim"][str(steps)], out["dpm++"][str(steps)] = trace, dpm(steps)
            out["ddim_velocity"][str(steps)], out["dpm++_velocity"][str(steps)] = ddim(steps, **VELOCITY)[1], dpm(steps, velocity=True)
    save_json(DATA / "schedule.json", out)
