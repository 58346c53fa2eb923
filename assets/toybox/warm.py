"""Takes the weights out of an embedded bundle and fits them into the networks of model.py, for `toybox.py --start`.

    python warm.py --bundle bundle --work DIR        writes DIR/start.safetensors, and DIR/vae.pt and DIR/latents.pt where there are none
    python warm.py --work DIR --keep                 writes encoder.safetensors beside this file, of the autoencoder in DIR

encoder.safetensors has the autoencoder's encoder under its own names (bundles of before had none), so that training goes on anywhere with the same latents.

What fits by name and shape is taken as it is; embeddings of tokens follow their symbols. A bundle of the first generation (two levels
of 96 and 192 channels on 16 x 16 latents) fits below a new first level: its blocks keep their place on the grid, channels that meet the
new level begin anew, and what its time embedding told each block is told by the new one, fitted by least squares.
"""
import argparse, json, pathlib
import numpy as np
import torch
from safetensors.torch import save_file

GRAPHS = ("unet", "text", "vision", "text_kv", "vision_kv")


def initializers(graph):
    """Those of a graph and of the branches inside it."""
    yield from graph.initializer
    for node in graph.node:
        for a in node.attribute:
            for inner in ([a.g] if a.HasField("g") else []) + list(a.graphs):
                yield from initializers(inner)


def read(bundle, graphs=GRAPHS):
    """checkpoint key -> tensor of every weight in a bundle's graphs."""
    import onnx
    from onnx.external_data_helper import load_external_data_for_tensor
    from onnx.numpy_helper import to_array
    out = {}
    for graph in graphs:
        for i in initializers(onnx.load(str(bundle / f"{graph}.onnx"), load_external_data=False).graph):
            if i.external_data:
                load_external_data_for_tensor(i, str(bundle))
            if i.name.endswith(".stored"):
                name = i.name[:-len(".stored")]
                if graph == "vision":
                    name = name.replace("projector.", "encoder_hidden_states_vision_projection.", 1) if name.startswith("projector.") else "vision." + name
                t = torch.from_numpy(np.array(to_array(i))).float()
                out[name] = t.flatten() if t.ndim == 3 and t.shape[1:] == (1, 1) else t
    return out


def shifted(name):
    """The place that a block of a two-level U-Net has in one of three levels."""
    head, *rest = name.split(".", 2)
    if head == "down_blocks":
        return f"{head}.{int(rest[0]) + 1}.{rest[1]}"
    return name  # mid_block, and up_blocks: both count from the lowest level


def silu_of_time(tensors, width):
    """silu(time embedding) of every training step [1000, e], as the blocks see it."""
    from diffusers.models.embeddings import get_timestep_embedding
    t = get_timestep_embedding(torch.arange(1000), width, flip_sin_to_cos=True, downscale_freq_shift=0)
    h = torch.nn.functional.silu(t @ tensors["time_embedding.linear_1.weight"].T + tensors["time_embedding.linear_1.bias"])
    return torch.nn.functional.silu(h @ tensors["time_embedding.linear_2.weight"].T + tensors["time_embedding.linear_2.bias"])


def fit(old, model, symbols, known):
    """name of model's parameter -> start. symbols, known: vocabularies (symbol -> id), the new one and the old one."""
    new = dict(model.named_parameters())
    unet = {k[len("unet.unet."):]: v for k, v in new.items() if k.startswith("unet.unet.")}
    out, two = {}, "down_blocks.2.resnets.0.norm1.weight" not in old and "down_blocks.2.resnets.0.norm1.weight" in unet
    if two:  # the old steps' noise levels are not the new ones', but nearly: the same network in time
        before = silu_of_time(old, old["time_embedding.linear_1.weight"].shape[1])
        now = silu_of_time({k: v.detach() for k, v in unet.items() if k.startswith("time_")}, unet["time_embedding.linear_1.weight"].shape[1])
        gram = now.T @ now + 1e-3 * torch.eye(now.shape[1])
        solve = torch.linalg.solve(gram, now.T @ before).T  # [old e, new e]
        out |= {"unet.unet." + k: v.detach().clone() for k, v in unet.items() if k.startswith("time_")}
        print(f"time embedding: relative error of the fit {(now @ solve.T - before).norm() / before.norm():.4f}")
    for key, value in old.items():
        if key.startswith("text_encoder."):
            names = [key.replace("text_encoder.", "text_encoders.0."), key.replace("text_encoder.text_model.", "text_encoders.0.")]
        elif key.startswith("vision."):
            _, who, rest = key.split(".", 2)
            names = [f"encoders.each.{who}.vit.{rest}"]
        else:
            if two and key.split(".")[0] in ("conv_in", "conv_out", "conv_norm_out", "time_embedding"):
                continue
            names = ["unet.unet." + (shifted(key) if two else key)]
        name = next((n for n in names if n in new), None)
        if name is None:
            continue
        want, have = new[name].shape, value.shape
        if name.endswith("token_embedding.weight"):
            start = new[name].detach().clone()
            for symbol, i in symbols.items():
                if symbol in known:
                    start[i] = value[known[symbol]]
            out[name] = start
        elif two and name.endswith("time_emb_proj.weight"):
            out[name] = value @ solve
        elif want == have:
            out[name] = value
        elif two and "up_blocks.1.resnets.1." in name and len(want) == len(have):  # hidden channels first, then those of the skip
            start, n = new[name].detach().clone(), 96
            if len(want) == 1:
                start[:n] = value[:n]
            else:
                start[:, :n] = value[:, :n]
            out[name] = start
    return out


BUNDLE, ENCODER = (pathlib.Path(__file__).with_name(n) for n in ("bundle", "encoder.safetensors"))


def keep(work):
    """The encoder's half of DIR's smaller autoencoder in float16, into ENCODER."""
    from model import load
    vae = load(work, small=True)[0].vae
    save_file({k: v.half().contiguous() for k, v in vae.state_dict().items() if k.startswith(("encoder.", "quant_conv."))}, ENCODER)
    print(f"{ENCODER.name}: {ENCODER.stat().st_size / 1e6:.2f} MB")


def autoencoder_of(bundle, latent="f4c4"):
    """(the autoencoder whose latents everything learns with, that of the bundle where it is the one for large pictures). Of the first a bundle
    of today has no decoder: it has the large one's as far as that fits, which nobody should ask for a picture."""
    import autoencoder, large
    from safetensors.torch import load_file
    given = {k: v for k, v in read(bundle, ("decoder",)).items() if k.startswith(("decoder.", "post_quant_conv."))}
    whole = None
    if "decoder.up_blocks.3.resnets.0.conv1.weight" in given:
        whole = autoencoder.build(large.LEVEL)
        whole.load_state_dict(given | {k: v for k, v in read(bundle, ("encoder",)).items() if k.startswith(("encoder.", "quant_conv."))})
    vae = autoencoder.build(latent)
    vae.load_state_dict({k: v.float() for k, v in load_file(ENCODER).items()} | given, strict=whole is None)
    return vae, whole


def finish(vae, bundle, work, name="vae", latent="f4c4"):
    """An autoencoder as a finished stage: DIR/vae.pt or DIR/large.pt, and DIR/latents.pt with its bundle's scale where there is none."""
    from flat import Flat
    from toybox import write
    flat = Flat(vae.named_parameters())
    flat.steps += 1
    write(work / f"{name}.pt", flat.state() | dict(latent=latent, seen=0, seconds=1e12))  # its time is over
    about = json.loads((bundle / "manifest.json").read_text())["latent"]
    if not (work / "latents.pt").exists():
        write(work / "latents.pt", dict(latents=None, count=0, blocks=[], steps=flat.steps.item(), scaling=about["scaling_factor"], latent_rgb=about["rgb"], latent_rgb_bias=about["rgb_bias"]))


def begin(bundle, work, finished=("vae", "large"), more=None):
    """Writes what toybox.py begins from; finished: stages of autoencoders that are not to go on, and are written as finished where the folder
    has none of its own. more: a file of weights that go over the bundle's, as heads that training alone has. Returns the names of the
    model's parameters that a bundle does not have."""
    import large
    from model import build
    torch.manual_seed(0)
    model, tokenizer = build(work)
    known = json.loads((bundle / "tokenizer" / "vocab.json").read_text())
    out = fit(read(bundle), model, tokenizer.clip.get_vocab(), known)
    vae, whole = autoencoder_of(bundle)
    out |= {"vae." + k: v for k, v in vae.state_dict().items()}
    if whole:
        out |= {"large." + k: v for k, v in whole.state_dict().items()}
    if more:
        from safetensors.torch import load_file
        out |= {k: v.float() for k, v in load_file(more).items()}
    save_file({k: v.contiguous().clone() for k, v in out.items()}, work / "start.safetensors")
    for stage, part, level in (("vae", vae, "f4c4"), ("large", whole, large.LEVEL)):
        if stage in finished and part and not (work / f"{stage}.pt").exists():
            finish(part, bundle, work, stage, level)
    return [k for k, _ in model.named_parameters() if k not in out and not k.startswith("vae")]


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bundle", type=pathlib.Path, default=BUNDLE)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--keep", action="store_true")
    a = p.parse_args()
    if a.keep:
        keep(a.work)
    else:
        print("begin anew:", ", ".join(n for n in begin(a.bundle, a.work) if not n.startswith("vae.")))
