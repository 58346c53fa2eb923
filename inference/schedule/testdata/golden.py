"""Makes golden.json: the noise schedule and DDIM of diffusers, run on a made-up network.

    python golden.py > golden.json        (diffusers 0.42.1, torch 2.15.0, CPU)

The network is eps = 0.125*z + t/2048 (exact factors, so it is the same in every language). diffusers steps DDIM to
t - 1000//n where Realword, like the released code, steps to the next timestep of the list; they differ when n does not
divide 1000. So n is set before every step such that t - 1000//n is the next timestep.
Floats are written as the hexadecimal bits of float32.
"""
import json, struct
import torch
from diffusers import DDIMScheduler

torch.set_num_threads(1)


def bits(t):
    return ["%08x" % struct.unpack("<I", struct.pack("<f", x))[0] for x in t.tolist()]


def scheduler():
    return DDIMScheduler(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
                         clip_sample=False, set_alpha_to_one=True, timestep_spacing="trailing")


out = {"alphas": bits(scheduler().alphas_cumprod), "runs": []}
for n in (25, 30, 50, 10):
    s = scheduler()
    s.set_timesteps(n)
    ts = s.timesteps.tolist()
    z = torch.tensor([-3, -1.5, -0.75, -0.1, 0, 0.3, 0.9, 1.7, 2.5], dtype=torch.float32)
    run = {"timesteps": ts, "z": bits(z), "steps": []}
    for i, t in enumerate(ts):
        if i + 1 < n:
            s.num_inference_steps = next(m for m in range(1, 1001) if 1000 // m == t - ts[i + 1])
        else:
            s.num_inference_steps = 1
        r = s.step(0.125 * z + t / 2048, t, z, eta=0.0)
        z = r.prev_sample
        run["steps"].append({"z": bits(z), "x0": bits(r.pred_original_sample)})
    out["runs"].append(run)
print(json.dumps(out, separators=(",", ":")))
