"""Sizes of the toybox model, and its assembly from what the training scripts saved."""
import pathlib
import torch
import autoencoder
from curriculum import choose_features
from flat import named
from networks import RealCustom
from tokenizer import LENGTH, Tokenizer

TEXT_WIDTH = 128
UNET = dict(
    _class_name="UNet2DConditionModel", sample_size=32, in_channels=4, out_channels=4,
    down_block_types=["DownBlock2D"] + ["CrossAttnDownBlock2D"] * 2, up_block_types=["CrossAttnUpBlock2D"] * 2 + ["UpBlock2D"],
    mid_block_type="UNetMidBlock2DCrossAttn", block_out_channels=[64, 96, 192], layers_per_block=1,
    transformer_layers_per_block=1, cross_attention_dim=TEXT_WIDTH, attention_head_dim=[2, 2, 4],  # heads: 48 channels each
    norm_num_groups=16, use_linear_projection=True, act_fn="silu",
)
VISION = dict(projector="ccp", head_dim=32, reference_size=128, view_size=64, encoders=["siglip", "dino"])
_VIT = dict(img_size=64, patch_size=8, embed_dim=96, depth=4, num_heads=3, mlp_hidden=288, pos_embed_cls=False,
            mean=[.5, .5, .5], std=[.5, .5, .5], features=[0, 1, 3])
ENCODERS = {
    "siglip": _VIT | dict(class_token=False, reg_tokens=0, layer_scale=False),
    "dino": _VIT | dict(class_token=True, reg_tokens=4, layer_scale=True),
}


def text_config(tokens):
    return dict(vocab_size=tokens, hidden_size=TEXT_WIDTH, intermediate_size=4 * TEXT_WIDTH, num_hidden_layers=3, num_attention_heads=4,
                max_position_embeddings=LENGTH, hidden_act="quick_gelu", projection_dim=TEXT_WIDTH,
                bos_token_id=tokens - 2, eos_token_id=tokens - 1, pad_token_id=tokens - 1)


# Self-attention of the way up, applied six times, finds subjects better than all of it applied once (README, "The walk and the rivals").
MASK_BLOCKS, MASK_ROUNDS = ["up_blocks.1"], 6

# The noise of training. On 32 x 32 latents of factor 4 the usual 0.012 would leave the mean colours visible in the noisiest step.
NOISE = dict(beta_end=.016, prediction_type="v_prediction")


def build(work, latent="f4c4", scaling=1.0):
    """(RealCustom with fresh weights, Tokenizer)"""
    tokenizer = Tokenizer(pathlib.Path(work) / "tokenizer")
    factor, channels, _ = autoencoder.LEVELS[latent]
    unet = UNET | dict(in_channels=channels, out_channels=channels)
    if channels > 4:  # latents of 16 x 16: attention on the grid of 16 x 16 from the first level on
        unet |= dict(sample_size=16, down_block_types=UNET["down_block_types"][1:], up_block_types=UNET["up_block_types"][:2], block_out_channels=[96, 192],
                     attention_head_dim=[2, 4])
    model = RealCustom.build(unet, [text_config(len(tokenizer.clip))], autoencoder.config(latent, scaling), VISION, ENCODERS)
    model.noise = NOISE
    model.unet.refine_masks(MASK_BLOCKS, MASK_ROUNDS)
    return model, tokenizer


@torch.no_grad()
def fill(module, weights):
    """Puts weights (name -> tensor) into a module. Heads, which only training has, and the other autoencoder are left out; versions of transformers differ in one part of a name."""
    plain = lambda n: n.replace(".text_model.", ".")
    own = {plain(n): p for n, p in module.named_parameters()}
    for name, value in weights.items():
        if not name.startswith(("head.", "large.")):
            if plain(name) not in own:
                raise SystemExit(f"what was saved has {name}, which this model has not: was it trained with other sizes?")
            own[plain(name)].copy_(value)


def load(work, small=False):
    """The trained networks as far as they are trained: the averaged weights of every stage that has run. With the autoencoder for large
    pictures (large.py) where there is one; small: with that whose latents everything learns with."""
    work = pathlib.Path(work)
    saved = lambda name: torch.load(work / f"{name}.pt", map_location="cpu") if (work / f"{name}.pt").exists() else None
    large, cache = None if small else saved("large"), saved("latents")
    vae = large or saved("vae")
    model, tokenizer = build(work, vae["latent"] if vae else "f4c4", cache["scaling"] if cache else 1.0)
    if (work / "start.safetensors").exists():  # what a training began from; image encoders that no stage trained are only there
        from safetensors.torch import load_file
        fill(model, {k: v for k, v in load_file(work / "start.safetensors").items() if not (large and k.startswith("vae."))})
    for stage, part in (("vae", model.vae), ("encoders", model.encoders), ("joint", model)):
        state = vae if stage == "vae" else saved(stage)
        if state:
            choose_features(model.encoders, state.get("features", "both"))
            fill(part, named(state))
    return model.eval(), tokenizer
