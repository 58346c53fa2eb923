"""Goldens of the CLIP tokenizer: data/tokenizer.json.gz, and the same vocabularies as tokenizer.json in data/tokenizer-fast.

{"texts": [...], "tiny": [[ids] ...], "tiny_bang": [[ids] ...], "clip": [[ids] ...]}

ids are those of transformers' CLIPTokenizer, from start to end token, cut at 77, not padded. "tiny" is
data/tiny/tokenizer, "tiny_bang" data/tiny-xl/tokenizer_2 (its padding token is "!", which makes every typed "!" special),
"clip" the vocabulary of OpenAI's CLIP, which is not part of this repository: the environment variable CLIP_MERGES names the merge list
(bpe_simple_vocab_16e6, plain or .gz); without it the ids that are already in the file stay. See README.md for where a
test can get it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import tempfile
from pathlib import Path

from common import DATA
from tiny import END, START, byte_symbols
from transformers import CLIPTokenizer

OUT = DATA / "tokenizer.json.gz"

BY_HAND = [
    "", " ", "a", "A", "!", "!!!", "a toy", "hello!", "hello ! world!!", "This dog is wearing a spacesuit in space", "the figurine is flying in the sky",
    "a cat in a concatenated catalog", "a scarecrow near a car", "A dog, a cat; and (maybe) a bird?!", "don't can't I'm you're we've he'll she'd it's o'clock rock'n'roll",
    "DON'T CAN'T I'M YOU'RE", "' s 's's ''s s'", "3 cats 12 dogs 1999 1,000,000 3.14 1/2 ½ Ⅷ ² ٣ 三", "tabs\tand\nnew\r\nlines\v\f", "  leading and trailing  ",
    "nbsp\u00a0em\u2003thin\u2009zero\u200bwidth\u200djoiner\ufeffbom", "line\u2028separator\u2029paragraph\u0085next\u3000ideographic", "naïve café Ångström façade Straße ẞ İstanbul ıI",
    "cafe\u0301 a\u030angstrom e\u0301\u0302 \u0301alone", "한국어 조합 \u1112\u1161\u11ab", "日本語 東京タワー ｶﾀｶﾅ ＦＵＬＬＷＩＤＴＨ", "中文字符，标点。", "Привет МИР", "ΟΔΥΣΣΕΥΣ Σ σς", "שלום עולם", "مرحبا بالعالم ١٢٣",
    "हिन्दी नमस्ते", "ไทย สวัสดี", "👍", "👍🏽👨‍👩‍👧‍👦🏳️‍🌈🇩🇪", "a 🐶 and a 🐱!", "☃ ☀️ ♥ ™ © ® … – — “quotes” ‘single’ «g»", "it’s don’t", "<|startoftext|>", "<|endoftext|>", "a<|endoftext|>b", "a <|endoftext|> b <|startoftext|> c",
    "<|ENDOFTEXT|> <|EndOfText|>", "<|endoftext", "< | endoftext | >", "<|endoftext|><|endoftext|>!", "\x00\x01\x7f\x1f", "\u0080\u009f", "a_b-c.d:e/f\\g@h#i$j%k^l&m*n+o=p~q`r|s", "((masterpiece:1.2)), [bad], {very}",
    "http://example.com/a?b=c&d=%20", "C++ C# .NET", "x²+y³=z", "\U0001d4d0\U0001d4d1 \U00010400\U00010428", "\ue000\uf8ff private", "\ufffd \ufffe \uffff", "word " * 100, "a" * 200, "ab" * 150, "!" * 120, "1" * 90, "é" * 80, "猫" * 80, "🤖" * 40,
    "a toy robot next to a teddy bear in the city at night", "a\u0300\u0316b", "\u0344 \u0958 \u2126 \u212b \ufb01 \u1e9b\u0323", "Ǆ ǅ ǆ Ⅳ ⓐ Ⓐ", "\u0130 \u0130I", "ﷺ", "\u180e mongolian", "\u2060word\u2060joiner",
]  # fmt: skip

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", " \t\n\r\u00a0\u2003\u3000\u200b\u0085", ".,;:!?'\"()[]{}<>|/\\@#$%^&*_-+=~`",
    "äöüßéèêëçñøåæœÄÖÜÉÇÑØ", "абвгдеёжзиклмнАБВГДЕЁЖ", "αβγδσςΣΑΒΓ", "日本語東京猫犬的一是不了", "ひらがなカタカナー", "한국어가나다", "אבגדהוז", "ابتثجح", "अआइकि्ा",
    "\u0300\u0301\u0302\u0308\u030a\u0323\u20dd", "👍🐶🐱🤖🏽\u200d\ufe0f🇩🇪♥☃", "½²³Ⅷ①٣५", "™©®°§¶…–—“”‘’«»€£¥",
]  # fmt: skip
WORDS = (
    "a an the dog cat robot teddy bear beach snow city night photo of in on at wearing hat don't it's we'll they're red 3 42 "
    "spacesuit figurine Photorealistic ULTRA-detailed 8k, (best quality) blurry <|endoftext|> <|startoftext|> 's 'll ! !! naïve 猫 🤖"
).split()


def texts() -> list[str]:
    """The strings by hand, then 2,000 seeded mixtures of words and of characters of one to three alphabets."""
    r, out = random.Random(5), list(BY_HAND)
    for _ in range(1000):
        sep = r.choice([" ", " ", " ", "  ", ", ", "", "\n"])
        out.append(sep.join(r.choice(WORDS) for _ in range(r.randint(1, 24))))
    for i in range(1000):
        alphabet = "".join(r.sample(ALPHABETS, r.randint(1, 3))) + r.choice(["", " ", " abc "])
        out.append("".join(r.choice(alphabet) for _ in range(r.randint(1, 150 if i % 10 == 0 else 24))))
    return out


def clip_folder(merge_list: Path, folder: Path) -> None:
    """vocab.json and merges.txt of CLIP from its merge list: the first 48,894 merges."""
    raw = merge_list.read_bytes()
    lines = (gzip.decompress(raw) if merge_list.suffix == ".gz" else raw).decode("utf-8").split("\n")[1 : 48894 + 1]
    symbols = byte_symbols()
    words = symbols + [s + "</w>" for s in symbols] + [line.replace(" ", "") for line in lines] + [START, END]
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(lines) + "\n", encoding="utf-8")
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, **special}))


def encode(folder: Path, strings: list[str]) -> list[list[int]]:
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    return [tokenizer(s, truncation=True, max_length=77).input_ids for s in strings]


def make() -> None:
    strings = texts()
    out = json.loads(gzip.decompress(OUT.read_bytes())) if OUT.exists() else {}
    known = dict(zip(out.get("texts", []), out.get("clip", [])))
    out = {"texts": strings, "tiny": encode(DATA / "tiny" / "tokenizer", strings), "tiny_bang": encode(DATA / "tiny-xl" / "tokenizer_2", strings)}
    for name, folder in (("tiny", "tiny/tokenizer"), ("tiny_bang", "tiny-xl/tokenizer_2")):
        CLIPTokenizer.from_pretrained(DATA / folder).save_pretrained(DATA / "tokenizer-fast" / name)
    merge_list = os.environ.get("CLIP_MERGES")
    if merge_list:
        with tempfile.TemporaryDirectory() as folder:
            clip_folder(Path(merge_list), Path(folder))
            out["clip"] = encode(Path(folder), strings)
    else:
        out["clip"] = [known[s] for s in strings]  # a new text needs CLIP_MERGES
    OUT.write_bytes(gzip.compress(json.dumps(out, ensure_ascii=False).encode("utf-8"), mtime=0))
