"""Smoke tests of the data and training helpers, without downloads: python test_toybox.py (or pytest)."""
import json, pathlib, tempfile
import numpy as np
import torch
import bank, captions, scenes, tokenizer
from train import attention_loss, crop, random_masks
from words import PLACES, SUBJECTS


def fake_bank(folder):
    """Two words with two individuals each, as plain discs; all for training."""
    y, x = np.mgrid[-1:1:bank.SIDE * 1j, -1:1:bank.SIDE * 1j]
    sprites, rows = [], []
    for i, word in enumerate(["cat", "cat", "dog", "dog"]):
        disc = np.zeros((bank.SIDE, bank.SIDE, 4), np.uint8)
        disc[..., 0], disc[..., 1], disc[..., 3] = 200, 40 * i, 255 * (x * x + y * y < .8)
        sprites.append(disc)
        rows.append(dict(individual=f"{word}/x/{i}", word=word, design="x", package="x", held_out=False))
    np.savez_compressed(folder / "bank.npz", sprites=np.stack(sprites), rows=json.dumps(rows))


def test_scenes_are_deterministic_and_masks_show_the_subject():
    with tempfile.TemporaryDirectory() as d:
        fake_bank(pathlib.Path(d))
        composer = scenes.Composer(d, "train")
        a, b = (composer.sample(np.random.default_rng(3)) for _ in range(2))
        assert (a["picture"] == b["picture"]).all() and a["caption"] == b["caption"]
        pairs = 0
        for seed in range(40):
            s = composer.sample(np.random.default_rng(seed))
            pairs += len(s["words"]) == 2
            assert len(s["masks"]) == len(s["references"]) == len(s["spans"]) == len(s["words"])
            for m in s["masks"]:
                assert .01 < (m > 127).mean() < .8
        assert pairs > 0


def test_held_out_hues_stay_out():
    low, high = scenes.HELD_OUT_HUES
    for seed in range(200):
        i = scenes.Identity(np.random.default_rng(seed), 100.0, .5, free=False, natural=0)
        assert not low <= (100 + i.turn) % 360 <= high


def test_caption_spans_name_the_subject():
    rng = np.random.default_rng(0)
    for _ in range(300):
        words = [str(w) for w in rng.choice(sorted(SUBJECTS), rng.integers(1, 3), replace=False)]
        text, spans = captions.caption(rng, words, str(rng.choice(sorted(PLACES))), hypernym=False)
        assert [text[a:b] for a, b in spans] == words
    assert captions.article("owl") == "an owl" and captions.article("red owl") == "a red owl"


def test_tokenizer_marks_the_words():
    with tempfile.TemporaryDirectory() as d:
        tokenizer.save(d)
        t = tokenizer.Tokenizer(d)
        ids, marks = t("a teddy bear and a cat in space", [(2, 12), (19, 22)])
        tokens = t.clip.convert_ids_to_tokens(ids.tolist())
        assert [tokens[i] for i in np.flatnonzero(marks[0])] == ["teddy</w>", "bear</w>"]
        assert [tokens[i] for i in np.flatnonzero(marks[1])] == ["cat</w>"]
        assert ids.max() == len(t.clip) - 1 == ids[-1]  # the end of text is the largest id, and the padding


def test_random_masks_stay_near_the_subject():
    torch.manual_seed(0)
    true = torch.zeros(64, 1, 16, 16)
    true[:, :, 4:10, 5:11] = 1
    masks = random_masks(true, None)
    assert masks.min() >= 0 and torch.allclose(masks.amax((1, 2, 3)), torch.ones(64))
    assert (masks * true).sum() > .5 * masks.sum()
    assert masks.gt(0).float().mean() < .4


def test_crop_keeps_a_quarter_of_the_subject():
    picture, mask = np.zeros((128, 128, 3), np.uint8), np.zeros((32, 32), np.uint8)
    picture[100:116, 100:116], mask[25:29, 25:29] = 255, 255
    for seed in range(50):
        x = crop(picture, mask, np.random.default_rng(seed), 3)
        assert x.shape == (3, 128, 128) and (x > 0).sum() >= 3 * 16 * 16 // 5


def test_attention_loss_prefers_the_subject():
    class Map:
        size = (16, 16)
    masks = torch.zeros(1, 2, 16, 16)
    masks[:, :, :4] = 1
    inside, outside = Map(), Map()
    inside.value, outside.value = masks + 1e-3, 1 - masks + 1e-3
    present = torch.tensor([[1.0, 0.0]])
    assert attention_loss([inside], masks, present) < .1 < 3 < attention_loss([outside], masks, present)


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print("ok", name)
