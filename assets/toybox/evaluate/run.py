"""Makes the pictures of a set of cases with the Go program, under one or more settings.

    python run.py --work DIR --binary realword --model BUNDLE --run final --set main --settings default text

writes DIR/evaluate/RUN/SETTING/NAME.png and NAME.json. What is there is not made again. Every worker is one process with one
thread, on the processor by ONNX Runtime itself: what is fastest here may be an approximation, and another one tomorrow.
REALWORD_ONNXRUNTIME names the library, as always.
"""
import argparse, json, pathlib, subprocess, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cases as fixed  # noqa: E402

SCOPES, STOPS, SOURCES = (.1, .15, .2, .25, .3, .4, .5), (5, 8, 10, 12, 14, 16, 20, 25), ("low_cross_high_self", "low_cross_all_self", "low_cross", "all_cross")
DEFAULT = dict(scope=.25, stop=14, mask_source="low_cross_high_self", raw_mask=False)
SETTINGS = {"default": {}, "text": None}  # None: the same prompt and seed, nothing bound
SETTINGS |= {f"scope-{g:g}": dict(scope=g) for g in SCOPES} | {f"scope-{g:g}-raw": dict(scope=g, raw_mask=True) for g in SCOPES}
SETTINGS |= {f"stop-{s}": dict(stop=s) for s in STOPS} | {f"source-{s}": dict(mask_source=s) for s in SOURCES}
# components of the mask guidance, one left out at a time, and all of them
SETTINGS |= {"no-self": dict(mask_source="low_cross"), "no-topk": dict(scope=1.0), "no-normalisation": dict(raw_mask=True), "no-early-stop": dict(stop=25),
             "no-guidance": dict(mask_source="all_cross", scope=1.0, raw_mask=True, stop=25)}


def same(setting):
    """The name under which pictures of a setting are kept: equal settings share them."""
    if SETTINGS[setting] is None:
        return setting
    full = DEFAULT | SETTINGS[setting]
    return next(n for n, s in SETTINGS.items() if s is not None and DEFAULT | s == full)


def line(case, setting, references):
    """One line of a batch file."""
    out = dict(name=case["name"], prompt=case["prompt"], seed=case["seed"], subjects=[])
    if SETTINGS[setting] is not None:
        full = DEFAULT | SETTINGS[setting]
        scope = full.pop("scope") if len(case["said"]) == 1 else min(full.pop("scope"), .999 / len(case["said"]))
        out |= full
        seen = {}
        for word, key in zip(case["said"], case["identities"]):
            seen[word] = seen.get(word, 0) + 1
            out["subjects"].append(dict(word=f"{word}#{seen[word]}", references=[str(references / f"{key}.png")], scope=scope))
    return json.dumps(out)


def run(work, binary, model, name, some, setting, workers, extra=()):
    """Makes what is missing. Returns how many pictures were made and the seconds it took."""
    work = pathlib.Path(work).resolve()
    out = work / "evaluate" / name / same(setting)
    out.mkdir(parents=True, exist_ok=True)
    missing = [c for c in some if not (out / f"{c['name']}.png").exists()]
    start, running = time.time(), []
    for w in range(min(workers, len(missing))):
        file = out / f"batch-{w}.jsonl"
        file.write_text("\n".join(line(c, setting, work / "evaluate" / "references") for c in missing[w::workers]) + "\n")
        command = [str(binary), "generate", "--batch", str(file), "--out", str(out), "--threads", "1", "--device", "cpu", *(["--model", str(model)] if model else []), *extra]
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
    failures = [f"{p.args}: {message.strip()}" for p in running if (message := p.communicate()[1]) and p.returncode]
    if failures or any(p.returncode for p in running):
        raise SystemExit("\n".join(failures) or "the program failed without a message")
    return len(missing), time.time() - start


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--binary", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[3] / "bin" / "realword")
    p.add_argument("--model", type=pathlib.Path, help="bundle folder (default: the model inside the program)")
    p.add_argument("--run", required=True, help="name of the folder for the pictures of this model")
    p.add_argument("--set", default="main", choices=("main", "main-1", "two", "new", "dev", "two-dev", "sub"))
    p.add_argument("--settings", nargs="+", default=["default"], choices=SETTINGS, metavar="SETTING", help=", ".join(SETTINGS))
    p.add_argument("--limit", type=int, help="that many cases, a fixed random part")
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--cfg", help="ω for all pictures (default: the model's own)")
    a = p.parse_args()
    some = fixed.choose(fixed.load(a.work)["cases"], a.set, a.limit)
    for setting in a.settings:
        made, seconds = run(a.work, a.binary, a.model, a.run, some, setting, a.workers, ["--cfg", a.cfg] if a.cfg else [])
        print(f"{a.run} {a.set} {setting}: {made} of {len(some)} made, {seconds / max(1, made):.2f} s each", flush=True)
