"""Reads the composed scenes back, as memory-mapped arrays."""
import json, pathlib
import numpy as np
from words import NEW_WORDS, SUBJECTS


class Scenes:
    """Blocks of scenes. pictures(i), masks(i), reference(i, subject) read single scenes; meta is a list of dicts."""

    def __init__(self, work, split="train", blocks=None):
        work = pathlib.Path(work)
        self.meta, self.where, self.blocks = [], [], []
        for path in sorted(work.glob(f"{split}-*-meta.json"))[:blocks]:
            prefix = str(path)[: -len("meta.json")]
            block = {k: np.load(prefix + k + ".npy", mmap_mode="r") for k in ("pictures", "masks", "references", "reference_masks", "maps")}
            self.blocks.append(block)
            first = 0  # the block's references stand in the order of its subjects
            for n, m in enumerate(json.loads(path.read_text())):
                if all(w in SUBJECTS or w in NEW_WORDS for w in m["words"]):  # scenes outlive a change of the vocabulary
                    self.meta.append(m)
                    self.where.append((len(self.blocks) - 1, n, first))
                first += len(m["words"])

    def __len__(self):
        return len(self.meta)

    def picture(self, i):
        b, n, _ = self.where[i]
        return self.blocks[b]["pictures"][n]

    def masks(self, i):
        b, n, _ = self.where[i]
        return self.blocks[b]["masks"][n]

    def reference(self, i, subject=0):
        """(picture [128, 128, 3], mask [32, 32])"""
        b, _, first = self.where[i]
        return self.blocks[b]["references"][first + subject], self.blocks[b]["reference_masks"][first + subject]

    def maps(self, i, subject=0):
        """[2, 2, 3]: affine maps from pixels of the picture and of the reference to the place 0..1 on the individual's own drawing."""
        b, _, first = self.where[i]
        return self.blocks[b]["maps"][first + subject]
