"""Makes every golden file below assets/golden/data. Deterministic: the same library versions give the same bytes.

    python assets/golden/make_goldens.py [PART ...]      parts: tiny operators cases loops schedule samplers random_numbers tokenizer checkpoints regions loras

Without arguments every part is made. See README.md for what each file holds.
"""

import importlib
import sys

PARTS = ("tiny", "operators", "cases", "loops", "schedule", "samplers", "random_numbers", "tokenizer", "checkpoints", "regions", "loras")

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        importlib.import_module(part).make()
        print("made", part, flush=True)
