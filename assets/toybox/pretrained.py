"""SD 1.5 and SDXL as bases: builds RealCustom++ around released networks, and writes what was trained.

    python train.py --work DIR --config configs/sdxl.json
    python pretrained.py --work DIR --config configs/sdxl.json --out FOLDER      for `realword model import FOLDER`
    python pretrained.py --work DIR --config configs/sdxl.json --delta FILE.pth  only what was trained, under the released names

The config's "model":
    base       folder in the diffusers layout: unet, vae, text_encoder, tokenizer, and for SDXL text_encoder_2, tokenizer_2
    family, name   of the model; family is sd15 or sdxl
    vision     projector ("ccp" is the paper's), head_dim, reference_size, view_size, encoders
    encoders   sizes of each ViT, the blocks to take features from, and where its weights are: "weights", a file in timm's layout, or
               "timm", a name under which timm downloads them
"""
import argparse, json, pathlib, shutil
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextModel, CLIPTextModelWithProjection
from networks import Encoders, Projector, RealCustom, RealCustomUNet
from tokenizer import Tokenizer
from webdata import Pairs

SIZES = {"sd15": 512, "sdxl": 1024}


def vit_weights(config, name):
    if config.get("weights"):
        path = pathlib.Path(config["weights"])
        if not path.exists():
            raise SystemExit(f"{path} is missing: it holds the weights of the image encoder {name}; correct the config, or name a \"timm\" model to download")
        return load_file(path) if path.suffix == ".safetensors" else torch.load(path, map_location="cpu")
    if config.get("timm"):
        import timm
        return timm.create_model(config["timm"], pretrained=True).state_dict()
    raise SystemExit(f"the config does not say where the weights of the image encoder {name} are: \"weights\" or \"timm\"")


def refuse_other_training(file):
    """train.py trains models that predict the noise on Stable Diffusion's schedule: another one would be trained, and saved, as such."""
    if not file.exists():
        return
    usual = dict(prediction_type="epsilon", beta_schedule="scaled_linear", beta_start=.00085, beta_end=.012, num_train_timesteps=1000,
                 rescale_betas_zero_snr=False, trained_betas=None, timestep_type="discrete", use_flow_sigmas=False)
    said = json.loads(file.read_text())
    other = [f"{k} {said[k]}" for k, v in usual.items() if said.get(k, v) != v]
    other += [said["_class_name"] for kind in ("EDM", "FlowMatch") if said.get("_class_name", "").startswith(kind)]
    if other:
        raise SystemExit(f"{file} says {other[0]}: only models that predict the noise on Stable Diffusion's schedule can be trained; use another base")


def build(config):
    """(RealCustom, tokenizers) with the released weights; projector and visual keys and values are new."""
    base = pathlib.Path(config["base"])
    if not (base / "unet" / "config.json").exists():
        raise SystemExit(f"{base} is no diffusers folder: it has no unet/config.json; correct \"base\" in the config")
    refuse_other_training(base / "scheduler" / "scheduler_config.json")
    unet = UNet2DConditionModel.from_pretrained(base / "unet", low_cpu_mem_usage=False)
    texts = [CLIPTextModel.from_pretrained(base / "text_encoder")]
    if (base / "text_encoder_2").exists():
        texts.append(CLIPTextModelWithProjection.from_pretrained(base / "text_encoder_2"))
    vision = config["vision"]
    eyes = Encoders(vision, {n: {k: v for k, v in e.items() if k not in ("timm", "weights")} for n, e in config["encoders"].items()})
    for name, e in eyes.each.items():
        wanted = e.vit.state_dict()
        found = {k: v.float() for k, v in vit_weights(config["encoders"][name], name).items() if k in wanted}  # pooling heads stay out
        if missing := sorted(set(wanted) - set(found)):
            raise SystemExit(f"the weights of the image encoder {name} lack {len(missing)} tensors, the first is {missing[0]}: is it the model the config describes?")
        e.load(found)
    projector = Projector(vision["projector"], eyes.width, unet.config.cross_attention_dim, vision["head_dim"])
    family, side = config["family"], config.get("size", SIZES[config["family"]])
    about = dict(family=family, name=config["name"], default_size=[side, side])
    model = RealCustom(RealCustomUNet(unet, projector), texts, AutoencoderKL.from_pretrained(base / "vae", low_cpu_mem_usage=False), eyes, about).float().eval()
    return model, [Tokenizer(base / t) for t in ("tokenizer", "tokenizer_2")[:len(texts)]]


def prepare(a, team, step):
    """(model, tokenizers, samples) for train.py, from step on."""
    model, tokenizers = build(a.model)
    vae = model.vae.config
    factor = 2 ** (len(vae.block_out_channels) - 1)
    grid = a.shards["size"] // factor // model.unet.grid_factor
    return model, tokenizers, Pairs(a.shards, tokenizers, (vae.latent_channels, factor), grid, a.model["vision"]["reference_size"], a, team.rank, team.size, step)


def export(config, work, out=None, delta=None):
    """Writes the averaged weights: a whole model folder, and/or one file of what was trained alone."""
    from curriculum import choose_features
    model, _ = build(config)
    state = torch.load(work / "reference.pt", map_location="cpu")
    model.load_state_dict(state["ema"], strict=False)
    choose_features(model.encoders, state.get("features", "both"))
    model.projected = model.unet.unet.config.addition_embed_type == "text_time" and state.get("pooled", "projected") == "projected"
    if delta:
        if learned := [n for n in state["ema"] if "_vision" not in n]:
            raise SystemExit(f"this was trained without --frozen: {len(learned)} tensors of the base learned too, the first is {learned[0]}; use --out")
        names = {n for n, _ in model.unet.unet.named_parameters() if "_vision" in n}
        torch.save({n: q.detach().clone() for n, q in model.unet.unet.named_parameters() if n in names} | model.marks(), delta)
    if out:
        model.save(out)
        for t in ("tokenizer", "tokenizer_2"):
            if (pathlib.Path(config["base"]) / t).exists():
                shutil.copytree(pathlib.Path(config["base"]) / t, out / t, dirs_exist_ok=True)


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--config", type=pathlib.Path, required=True)
    p.add_argument("--out", type=pathlib.Path)
    p.add_argument("--delta", type=pathlib.Path)
    a = p.parse_args()
    if not (a.out or a.delta):
        p.error("give --out, --delta or both")
    export(json.loads(a.config.read_text())["model"], a.work, a.out, a.delta)
