"""Writes the trained model as the diffusers-style folder that `realword model import` reads, weights in float16.

    python export.py --work DIR --out FOLDER
"""
import argparse, json, pathlib, shutil
import torch
from safetensors.torch import load_file, save_file
from model import MASK_BLOCKS, MASK_ROUNDS, load
from words import vocabulary

ABOUT = {
    "family": "toybox", "name": "Realword Toybox 4",  # another one whenever the same recipe makes another picture: sessions say of which model theirs are
    "presets": {
        "paper": {"sampler": "ddim", "steps": 25, "stop": 14, "cfg": 4, "uncond_attention": "perturbed", "scope": .25, "mask_source": "low_cross_high_self"},
        "release": {"sampler": "dpm++", "steps": 25, "stop": 12, "cfg": 3.5, "scope": .25, "mask_source": "all_cross", "negative": ""},
    },
    "words": vocabulary(),
    "licences": "trained on emoji pictures of Microsoft (MIT), Google (Apache-2.0), Twitter and EmojiOne (CC BY 4.0), see CREDITS.md",
}


# Self-attention over 8 x 8 positions, which says how the parts of a thing belong together: pictures of text alone are guided away from what
# the network draws without it.
PERTURBED = ["down_blocks.2", "mid_block", "up_blocks.0"]


def export(work, out):
    model, _ = load(work)
    cache = work / "latents.pt"
    fit = torch.load(cache) if cache.exists() else {"latent_rgb": [[0.0] * 3] * model.vae.config.latent_channels, "latent_rgb_bias": [.5] * 3}
    model.about = ABOUT | {k: [[round(v, 5) for v in row] for row in fit[k]] if k == "latent_rgb" else [round(v, 5) for v in fit[k]]
                           for k in ("latent_rgb", "latent_rgb_bias")}
    out.mkdir(parents=True, exist_ok=True)
    model.save(out)
    for path in out.rglob("*.safetensors"):
        save_file({k: v.half() if v.is_floating_point() else v for k, v in load_file(path).items()}, path, {"format": "pt"})
    config = json.loads((out / "unet" / "config.json").read_text()) | {"perturbed_blocks": PERTURBED, "mask_blocks": MASK_BLOCKS, "mask_rounds": MASK_ROUNDS}
    (out / "unet" / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    shutil.copytree(work / "tokenizer", out / "tokenizer", dirs_exist_ok=True)
    shutil.copy(pathlib.Path(__file__).with_name("CREDITS.md"), out)
    for folder in sorted(p.parent for p in out.rglob("*.safetensors")):
        print(f"{folder.relative_to(out)}: {sum(p.stat().st_size for p in folder.glob('*.safetensors')) / 1e6:.2f} MB")


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--out", type=pathlib.Path, required=True)
    a = p.parse_args()
    export(a.work, a.out)
