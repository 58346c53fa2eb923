"""Encodes all training scenes with the trained autoencoder: writes DIR/latents.pt.

    python latents.py --work DIR
"""
import argparse, pathlib
import torch
from data import Scenes
from fast import explicit_attention
from model import load
from train import encode_latents

if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    a = p.parse_args()
    torch.set_num_threads(2)
    explicit_attention()
    model = load(a.work)[0]
    model.vae.encoder.to(memory_format=torch.channels_last).compile(dynamic=False)
    encode_latents(a.work, Scenes(a.work), model)
