"""Sizes of the toybox model, and its assembly from what the training scripts saved."""
import pathlib
import torch
from curriculum import choose_features
from networks import RealCustom
from tokenizer import LENGTH, Tokenizer
from train_vae import CONFIG as VAE

TEXT_WIDTH = 128
UNET = dict(
    _class_name="UNet2DConditionModel", sample_size=16, in_channels=8, out_channels=8,
    down_block_types=["CrossAttnDownBlock2D"] * 2, up_block_types=["CrossAttnUpBlock2D"] * 2,
    mid_block_type="UNetMidBlock2DCrossAttn", block_out_channels=[96, 192], layers_per_block=1,
    transformer_layers_per_block=1, cross_attention_dim=TEXT_WIDTH, attention_head_dim=[2, 4],  # heads: 48 channels each
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


def build(work, scaling=1.0):
    """(RealCustom with fresh weights, Tokenizer)"""
    tokenizer = Tokenizer(pathlib.Path(work) / "tokenizer")
    model = RealCustom.build(UNET, [text_config(len(tokenizer.clip))], VAE | dict(scaling_factor=scaling), VISION, ENCODERS)
    return model, tokenizer


def load(work, stage="reference"):
    """The trained networks as far as they are trained: the averaged weights of train.py's stage over the autoencoder's."""
    work = pathlib.Path(work)
    vae = torch.load(work / "vae.pt")
    scaling = torch.load(work / "latents.pt")["scaling"] if (work / "latents.pt").exists() else 1.0
    model, tokenizer = build(work, scaling)
    model.vae.load_state_dict(vae["ema"])
    if (work / "decoder.pt").exists():
        model.vae.decoder.load_state_dict(torch.load(work / "decoder.pt"))
    if (work / "encoders.pt").exists():
        model.encoders.load_state_dict(torch.load(work / "encoders.pt")["now"])
    for s in ("base", "reference")[: 2 if stage == "reference" else 1]:
        if (work / f"{s}.pt").exists():
            state = torch.load(work / f"{s}.pt")
            model.load_state_dict(state["ema"], strict=False)
            choose_features(model.encoders, state.get("features", "both"))
    return model.eval(), tokenizer
