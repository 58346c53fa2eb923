"""Goldens of the networks of data/tiny and data/tiny-xl: data/<model>.goldens/<network>-<case>.safetensors.

Port names, shapes and dtypes are those of the ONNX graphs (README.md). Computed in float64 from the stored float32
weights, stored in float32: a float32 graph differs from them by its own rounding only.
"""

from __future__ import annotations

import torch
from common import DATA, rand, randn, save
from networks import SOURCES, Projector, RealCustom, RealCustomUNet, guidance_scores, resize, selfs_of, views
from safetensors.torch import load_file
from tiny import tokenize
from torch import Tensor

PROMPTS = {
    "short": "a dog on the beach",
    "mixed": "A photo of TWO cats & 3 robots, don't blur! <|endoftext|> naïve 猫 \U0001f916",
    "long": "a toy robot next to a teddy bear in the city at night " * 9,
}
NEGATIVE = -1e9  # bias of padding tokens


def load(name: str) -> RealCustom:
    return RealCustom.load(DATA / name).double().eval().requires_grad_(False)


def ids(name: str, *texts: str) -> list[Tensor]:
    """[B, 77] per text encoder."""
    folders = [f for f in (DATA / name / "tokenizer", DATA / name / "tokenizer_2") if f.exists()]
    return [torch.tensor([tokenize(f, t) for t in texts]) for f in folders]


def size_ids(latent: Tensor, factor: int) -> Tensor:
    """time_ids as the release sends them: W, H, 0, 0, W, H in pixels."""
    h, w = latent.shape[-2] * factor, latent.shape[-1] * factor
    return torch.tensor([[w, h, 0, 0, w, h]], dtype=torch.float64)


def factor(model: RealCustom) -> int:
    return 2 ** (len(model.vae.config.block_out_channels) - 1)


def squares(model: RealCustom, seed: int, count: int = 1) -> Tensor:
    """Reference squares [B, 3, S, S], 8 bits per channel: smooth colours and grain.

    Views are cut to 8 bits downwards, so where the global view meets a whole number, rounding of the resize would decide.
    The squares avoid that: single values are moved until none is left (corners are copied, so they are black).
    """
    side = model.encoders.config["reference_size"]
    smooth = torch.nn.functional.interpolate(rand(seed, count, 3, 5, 5), size=(side, side), mode="bicubic")
    levels = (0.75 * smooth.clamp(0, 1) + 0.25 * rand(seed + 1, count, 3, side, side)).mul(255).round().double()
    levels[..., :: side - 1, :: side - 1] = 0
    place = (torch.arange(side // 2) * (side - 1) / (side // 2 - 1)).round().long()
    while True:
        whole = torch.nn.functional.interpolate(levels, size=(side // 2, side // 2), mode="bilinear", align_corners=True)
        risky = (whole - whole.round()).abs() < 2e-3
        risky[..., :: side // 2 - 1, :: side // 2 - 1] = False
        if not risky.any():
            return levels.div(255).float()
        b, c, y, x = risky.nonzero(as_tuple=True)
        levels[b, c, place[y], place[x]] = (levels[b, c, place[y], place[x]] + 7) % 256


def tokens_of(model: RealCustom, squares: Tensor) -> Tensor:
    """Visual tokens; the views are cut in float32, as the picture code does it."""
    five = views(squares.float()).double()
    return model.unet.projector(*model.encoders(five))


def text_cases(name: str, model: RealCustom) -> None:
    for case, prompt in PROMPTS.items():
        i = ids(name, prompt)
        text = model.text(*i)
        out = {"text.in.input_ids": i[0], "text.out.encoder_hidden_states": text.hidden}
        if len(i) == 2:
            # pooled is what the release feeds to the U-Net; pooled_projected what stock SDXL does
            out |= {"text.in.input_ids_2": i[1], "text.out.pooled": text.pooled, "text.out.pooled_projected": text.projected}
        save(DATA / f"{name}.goldens" / f"text-{case}.safetensors", out, {"prompt": prompt})


# Prompts with marks, and what A1111 makes of them: pieces and their weights, None between chunks.
MARKED = {
    "weights": (
        "a (toy:1.5) [robot] and ((a dog)), \\(on\\) the beach (at (night:0.5):1.2)",
        [("a", 1), ("toy", 1.5), ("robot", 1 / 1.1), ("and", 1), ("a dog", 1.1 * 1.1), (", (on) the beach", 1), ("at", 1.2), ("night", 0.5 * 1.2)],
    ),
    "chunks": ("a (dog:0) on the beach BREAK (a robot:-0.5)", [("a", 1), ("dog", 0), ("on the beach", 1), None, ("a robot", -0.5)]),
    # 75 tokens to a chunk; the 76th begins the next one, and with it what stands behind a comma that is among the last 20.
    "next": ("dog " * 75 + "robot", [("dog " * 75, 1), None, ("robot", 1)]),
    "comma": ("dog " * 75 + ", robot", [("dog " * 75, 1), None, (", robot", 1)]),
    "back": (
        "dog " * 55 + ", " + "robot " * 10 + "(" + "cat " * 30 + ":0.7), " + "dog " * 45 + "robot",
        [("dog " * 55 + ",", 1), None, ("robot " * 10, 1), ("cat " * 30, 0.7), (", " + "dog " * 34, 1), None, ("dog " * 11 + "robot", 1)],
    ),
    "across": ("dog " * 70 + "(" + "robot " * 12 + ":1.5) beach", [("dog " * 70, 1), ("robot " * 5, 1.5), None, ("robot " * 7, 1.5), ("beach", 1)]),
    "breaks": ("BREAK a dog BREAK BREAK (on:1.5) the beach BREAK", [None, ("a dog", 1), None, None, ("on", 1.5), ("the beach", 1)]),
}


def weights_cases(name: str, model: RealCustom) -> None:
    """Weights on the features: what a token says beyond the empty prompt, so many times. Pooled text is that of the first chunk, unweighted."""
    empty = model.text(*ids(name, "")).hidden
    folders = [f for f in (DATA / name / "tokenizer", DATA / name / "tokenizer_2") if f.exists()]
    for case, (prompt, pieces) in MARKED.items():
        chunks: list[list] = [[]]
        for piece in pieces:
            chunks.append([]) if piece is None else chunks[-1].append(piece)
        hidden, pooled, weights, tokens = [], None, [], [[] for _ in folders]
        for chunk in chunks:
            read = []
            for folder in folders:
                row = tokenize(folder, "")
                start, end, pad, at = row[0], row[1], row[-1], [1.0]
                row = [start]
                for text, weight in chunk:
                    own = tokenize(folder, text)
                    own = own[1 : own.index(end, 1)]
                    assert text.count(" ") < 20 or len(own) == len(text.split()), "words of these prompts are one token each"
                    row, at = row + own, at + [weight] * len(own)
                row = row + [end] + [pad] * (76 - len(row))
                assert len(row) == 77, len(row)
                read.append(row)
            w = torch.tensor(at + [1.0] * (77 - len(at)), dtype=torch.float64)
            text = model.text(*(torch.tensor([r]) for r in read))
            hidden.append(empty + w[None, :, None] * (text.hidden - empty))
            pooled = text.pooled if pooled is None and len(folders) == 2 else pooled
            weights.append(w)
            for i, r in enumerate(read):
                tokens[i] += r
        out = {"weights.in.input_ids": torch.tensor([tokens[0]]), "weights.in.weights": torch.cat(weights)[None], "weights.out.encoder_hidden_states": torch.cat(hidden, 1)}
        if len(folders) == 2:
            out |= {"weights.in.input_ids_2": torch.tensor([tokens[1]]), "weights.out.pooled": pooled}
        save(DATA / f"{name}.goldens" / f"text-{case}.safetensors", out, {"prompt": prompt})


def vision_cases(name: str, model: RealCustom) -> None:
    side = model.encoders.config["reference_size"]
    for case, square in {"reference": squares(model, 21), "black": torch.zeros(1, 3, side, side)}.items():
        five = views(square)
        out = {"vision.in.square": square[0], "vision.in.views": five[0], "vision.out.tokens": tokens_of(model, square)}
        save(DATA / f"{name}.goldens" / f"vision-{case}.safetensors", out, {"note": "square is what views is cut from; the graph reads views"})


def shallow_case() -> None:
    model = load("tiny-xl")
    projector = Projector("shallow", model.encoders.width, model.unet.unet.config.cross_attention_dim, 8).double()
    stored = load_file(DATA / "tiny-xl-shallow" / "projector.safetensors")
    projector.load_state_dict({k.split(".", 1)[1]: v for k, v in stored.items()})
    five = views(squares(model, 21))
    tokens = projector(*model.encoders(five.double(), want_local=False))
    save(DATA / "tiny-xl.goldens" / "vision-shallow.safetensors", {"vision.in.views": five[0], "vision.out.tokens": tokens})


def unet_inputs(
    name: str, model: RealCustom, network: str, seed: int, timestep: float, size: tuple[int, int], *more: str
) -> tuple[dict, dict]:
    """The ports of one pass, and the keyword arguments of RealCustomUNet for the same. more are further chunks of the prompt."""
    sample = randn(seed, 1, 4, *size)
    text = model.text(*ids(name, "a toy robot and a dog on the beach"))
    hidden = torch.cat([text.hidden] + [model.text(*ids(name, m)).hidden for m in more], 1)
    kw = {"sample": sample.double(), "timestep": torch.tensor([timestep], dtype=torch.float64), "text": hidden}
    ports = {"sample": sample, "timestep": kw["timestep"], "encoder_hidden_states": hidden}
    if len(model.text_encoders) == 2:
        kw |= {"text_embeds": text.pooled, "time_ids": size_ids(sample, factor(model))}
        ports |= {"text_embeds": text.pooled, "time_ids": kw["time_ids"]}
    return {f"{network}.in.{k}": v for k, v in ports.items()}, kw


def unet_cases(name: str, model: RealCustom) -> None:
    for case, subjects, timestep, size in (
        ("0", 0, 999.0, (16, 16)), ("1", 1, 479.0, (16, 16)), ("3", 3, 39.0, (16, 16)), ("wide", 1, 719.0, (8, 24)), ("tall", 2, 0.0, (24, 16)), ("long", 2, 599.0, (16, 16)),
        ("512x512", 2, 239.0, (64, 64)) if name == "tiny" else ("768x1024", 2, 239.0, (96, 128)),
    ):  # fmt: skip
        more = ["in a forest, at night"] if case == "long" else []
        ports, kw = unet_inputs(name, model, "unet", 100 + len(case) + subjects, timestep, size, *more)
        gh, gw = model.unet.grid(kw["sample"])
        # The last of three subjects has two references: its tokens are concatenated, the others are padded.
        seen = [tokens_of(model, squares(model, 31 + 10 * j)) for j in range(subjects)]
        if subjects == 3:
            seen[2] = torch.cat([seen[2], tokens_of(model, squares(model, 71))], 1)
        masks = rand(200 + subjects, subjects, gh, gw).double()
        masks = torch.where(masks > 0.7, masks, torch.zeros_like(masks))  # mostly zero, as Top-K leaves it
        noise, _ = model.unet(**kw, vision=seen, masks=[m[None, None] for m in masks])

        longest = max((s.shape[1] for s in seen), default=4)
        tokens = torch.zeros(subjects, longest, kw["text"].shape[-1], dtype=torch.float64)
        bias = torch.zeros(subjects, longest, dtype=torch.float64)
        for j, s in enumerate(seen):
            tokens[j, : s.shape[1]] = s[0]
            bias[j, s.shape[1] :] = NEGATIVE
        ports |= {"unet.in.vision_tokens": tokens, "unet.in.vision_bias": bias, "unet.in.masks": masks, "unet.out.noise": noise}
        save(DATA / f"{name}.goldens" / f"unet-{case}.safetensors", ports)


def guidance_cases(name: str, model: RealCustom) -> None:
    for case, subjects, timestep, size in (("1", 1, 919.0, (16, 16)), ("3", 3, 559.0, (16, 16)), ("wide", 2, 999.0, (8, 24)), ("long", 2, 639.0, (16, 16))):
        more = ["in a forest, at night"] if case == "long" else []
        ports, kw = unet_inputs(name, model, "guidance", 300 + subjects, timestep, size, *more)
        weights = torch.zeros(subjects, 77 + 77 * len(more), dtype=torch.float64)
        for j in range(subjects):
            weights[j, 2 + 2 * j : 3 + 3 * j] = 1  # spans of 1, 2 and 3 tokens
        if more:
            weights[1, 4:6], weights[1, 79:81] = 0, 1  # of the second chunk
        ports["guidance.in.token_weights"] = weights
        for source in SOURCES:
            cross, scores = scores_of(model.unet, kw, weights, source)
            ports |= {f"guidance-{source}.out.cross": cross[0], f"guidance-{source}.out.scores": scores[0]}
        save(DATA / f"{name}.goldens" / f"guidance-{case}.safetensors", ports)


def layer_case(name: str, model: RealCustom) -> None:
    """guidance-layers: every layer's map on the grid, brought to 0..1 by itself (min_max_per_channel of the released app)."""
    ports, kw = unet_inputs(name, model, "guidance", 310, 679.0, (16, 24))
    weights = torch.zeros(2, 77, dtype=torch.float64)
    weights[0, 2:3], weights[1, 5:7] = 1, 1
    ports["guidance.in.token_weights"] = weights
    for source in SOURCES:
        _, maps = model.unet(**kw, tokens=weights[None], selfs=selfs_of(source))
        grid = model.unet.grid(kw["sample"])
        for m in maps:
            if m.kind == "cross":
                c = resize(m.value, grid)
                low, high = c.amin((-2, -1), keepdim=True), c.amax((-2, -1), keepdim=True)
                m.value, m.size = (c - low) / (high - low + 1e-6), grid
        cross, scores = guidance_scores(maps, grid, source)
        ports |= {f"guidance-{source}-min_max_per_channel.out.cross": cross[0], f"guidance-{source}-min_max_per_channel.out.scores": scores[0]}
    save(DATA / f"{name}.goldens" / "guidance-layers.safetensors", ports)


def scores_of(unet: RealCustomUNet, kw: dict, weights: Tensor, source: str) -> tuple[Tensor, Tensor]:
    noise, maps = unet(**kw, tokens=weights[None], selfs=selfs_of(source))
    return guidance_scores(maps, unet.grid(kw["sample"]), source)


def decoder_cases(name: str, model: RealCustom) -> None:
    for case, size in (("square", (8, 8)), ("wide", (4, 12))):
        # z is the scaled latent of the loop; the graph divides by the scaling factor
        latent = randn(400 + size[1], 1, 4, *size)
        out = {"decoder.in.latent": latent, "decoder.out.picture": model.decode(latent.double())}
        save(DATA / f"{name}.goldens" / f"decoder-{case}.safetensors", out)


def class_token(model: RealCustom, square: Tensor) -> Tensor:
    """The class token of the DINO encoder for the global view of squares: of the last block, behind the final norm, as timm gives it
    with global_pool="token"."""
    dino = model.encoders.each["dino"]
    return dino.vit.forward_features((views(square.float())[:, 0].double() - dino.mean) / dino.std)[:, 0]


def class_cases(name: str, model: RealCustom) -> None:
    for case, seed in (("one", 600), ("other", 602)):
        square = squares(model, seed)
        out = {"class.in.view": views(square)[:, 0], "class.out.class": class_token(model, square)}
        save(DATA / f"{name}.goldens" / f"class-{case}.safetensors", out)


def likeness_case(name: str, model: RealCustom) -> None:
    """DINO-I of a subject that a soft mask cuts out of a picture, and of a reference: the cosine of their class tokens. The subject is 58
    pixels wide, so that it fills the square of 64 with its margin of 3; above it lies what is beyond the picture."""
    picture, reference = squares(model, 610), squares(model, 612)
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    mask = (8 + 600 * (1 - ((x - 31.5) / 28.6) ** 2 - ((y - 28) / 22) ** 2)).clamp(0, 255).round()
    mask[mask < 8] = 0
    rows, columns = mask.amax(1).nonzero().flatten(), mask.amax(0).nonzero().flatten()
    assert len(columns) == 58 and columns[0] == 3, columns
    above = (64 - len(rows)) // 2 - int(rows[0])  # rows of the square above the picture
    grey = torch.full_like(picture, 0xD0)
    laid = ((picture * 255 * mask + grey * (255 - mask)) / 255).round()
    square = grey.clone()
    square[..., max(above, 0) : 64 + min(above, 0), :] = laid[..., max(-above, 0) : 64 - max(above, 0), :]
    cosine = torch.cosine_similarity(class_token(model, square / 255), class_token(model, reference))
    whole = torch.cosine_similarity(class_token(model, picture), class_token(model, reference))
    assert (cosine - whole).abs() > 0.01, "the mask makes no difference"
    out = {"in.picture": (picture * 255).round(), "in.mask": mask, "in.reference": (reference * 255).round(), "out.cosine": cosine}
    save(DATA / f"{name}.likeness.safetensors", out)


def encoder_cases(name: str, model: RealCustom) -> None:
    for case, (h, w) in (("square", (8, 8)), ("wide", (4, 12))):
        size = (h * factor(model), w * factor(model))
        smooth = torch.nn.functional.interpolate(rand(500 + w, 1, 3, 5, 5), size=size, mode="bicubic").clamp(0, 1)
        picture = (0.75 * smooth + 0.25 * rand(501 + w, 1, 3, *size)).mul(255).round() / 127.5 - 1
        out = {"encoder.in.picture": picture, "encoder.out.latent": model.latents(picture.double())}
        save(DATA / f"{name}.goldens" / f"encoder-{case}.safetensors", out)


@torch.no_grad()
def make() -> None:
    for name in ("tiny", "tiny-xl"):
        model = load(name)
        for cases in (text_cases, weights_cases, vision_cases, unet_cases, guidance_cases, layer_case, decoder_cases, encoder_cases, class_cases):
            cases(name, model)
    likeness_case("tiny", load("tiny"))
    shallow_case()
