"""The tokenizer of the toybox: CLIP's byte-level BPE, learned from the captions, and the tokens of a caption's subjects."""
import argparse, collections, json, pathlib, re
import numpy as np
from tokenizers import Regex
from tokenizers.pre_tokenizers import ByteLevel, Split
from transformers import CLIPTokenizer
from words import COLOURS, HATS, HYPERNYMS, JOINTS, NEW_WORDS, PLACES, SEATS, SUBJECTS

LENGTH = 77
WORDS = Regex(r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
PLAIN = re.compile("[a-z ,]*")
EXTRA = [*JOINTS, COLOURS]


def learn(texts):
    """Byte-pair merges until every word of the texts is one token. Returns (merges, symbols in CLIP's order)."""
    split = Split(WORDS, "removed", invert=True)
    counts = collections.Counter(w for t in texts for w, _ in split.pre_tokenize_str(t.lower()))
    words = [(list(w[:-1]) + [w[-1] + "</w>"], n) for w, n in sorted(counts.items())]
    merges = []
    while True:
        pairs = collections.Counter()
        for w, n in words:
            for pair in zip(w, w[1:]):
                pairs[pair] += n
        if not pairs:
            break
        a, b = best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        for w, _ in words:
            i = 0
            while i + 1 < len(w):
                if (w[i], w[i + 1]) == best:
                    w[i:i + 2] = [a + b]
                i += 1
    # CLIP's order: printable bytes first, then the others shifted to U+0100 and up
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(b) for b in printable] + [chr(256 + i) for i in range(256 - len(printable))]
    assert set(letters) == set(ByteLevel.alphabet())
    symbols = letters + [c + "</w>" for c in letters] + ["".join(m) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    assert len(set(symbols)) == len(symbols)
    return merges, symbols


def save(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    merges, symbols = learn([*SUBJECTS, *NEW_WORDS, *PLACES.values(), *HYPERNYMS, *HATS, *SEATS, *EXTRA])
    (folder / "vocab.json").write_text(json.dumps({s: i for i, s in enumerate(symbols)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=1) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(
        special | {"tokenizer_class": "CLIPTokenizer", "model_max_length": LENGTH, "do_lower_case": True, "add_prefix_space": False}, indent=1) + "\n")
    return len(symbols)


class Tokenizer:
    def __init__(self, folder):
        self.clip = CLIPTokenizer.from_pretrained(str(folder))
        self.known, self.words = {}, {}

    def ids(self, text):
        """Token ids of a text, between start and end. Captions of plain words and commas are put together word by word, which is what the
        tokenizer would do, only a hundred times slower."""
        if not PLAIN.fullmatch(text):
            return self.clip(text)["input_ids"][1:-1]
        out = []
        for w in text.replace(",", " , ").split():
            if w not in self.words:
                self.words[w] = self.clip(w)["input_ids"][1:-1]
            out += self.words[w]
        return out

    def __call__(self, text, spans=()):
        """(ids [77] int64, marks [2, 77] float32: 1 on the tokens of each subject's characters)"""
        key = (text, tuple(map(tuple, spans)))
        if key not in self.known:
            if len(self.known) >= 1 << 17:  # captions of the web do not come again
                self.known.clear()
            start, end = self.clip.bos_token_id, self.clip.eos_token_id
            ids = np.full(LENGTH, self.clip.pad_token_id, np.int64)
            inner = self.ids(text)[:LENGTH - 2]
            ids[0], ids[1:len(inner) + 1], ids[len(inner) + 1] = start, inner, end
            marks = np.zeros((2, LENGTH), np.float32)
            for s, (a, b) in enumerate(spans):
                marks[s, len(self.ids(text[:a].rstrip())) + 1:len(self.ids(text[:b])) + 1] = 1
            self.known[key] = ids, marks
        return self.known[key]


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--work", type=pathlib.Path, required=True)
    a = p.parse_args()
    print(save(a.work / "tokenizer"), "tokens")
    t = Tokenizer(a.work / "tokenizer")
    for text, spans in [("a toy teddy bear and a cat on the beach", [(6, 16), (23, 26)]), ("", []), ("on a blue background, an owl", [(25, 28)])]:
        ids, marks = t(text, spans)
        print(text, ids[:14].tolist(), t.clip.convert_ids_to_tokens(ids[:12].tolist()), [np.flatnonzero(m).tolist() for m in marks])
    split = [w for s in SUBJECTS for w in s.split() if len(t.clip(w)["input_ids"]) != 3]
    print("subject words of more than one token:", split)
