"""The shape of the paper's inference tables, on one case of each held-out individual of "main", or with --set main --limit 200 on more.

    python tables.py --work DIR --binary realword --model BUNDLE --run final --out results/        makes what is missing, writes tables.md
    python tables.py ... --tables VI VII --limit 20 --no-make                                      some of it, of what is there
"""
import argparse, json, pathlib, sys
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cases as fixed  # noqa: E402
import run as runner  # noqa: E402
import score  # noqa: E402

TABLES = {
    "VI": ("Scope γ, with and without normalisation of the mask", {f"γ {g:g}": f"scope-{g:g}" for g in runner.SCOPES} | {f"γ {g:g}, not normalised": f"scope-{g:g}-raw" for g in runner.SCOPES}),
    "VII": ("Early stop of the guidance branch", {f"T_stop {s}" if s < 25 else "none": f"stop-{s}" for s in runner.STOPS}),
    "V": ("Source of the mask", {"all cross": "source-all_cross", "low cross": "source-low_cross", "low cross × all self": "source-low_cross_all_self",
                                 "low cross × high self (Eq. 12)": "source-low_cross_high_self"}),
    "XII": ("Components of the mask guidance", {"all": "default", "without self-attention": "no-self", "without Top-K (γ = 1)": "no-topk", "without normalisation": "no-normalisation",
                                               "without early stop": "no-early-stop", "without any of them": "no-guidance"}),
}
# What ablate.py --part reference trains: title, label -> variant. Its figures, and why they are no more than they are, stand in tables.json as well.
TRAINED = {
    "training": ("The reference on the frozen base, and all of it together", {
        "frozen base, with our losses": "frozen", "the same, another seed": "frozen, another seed", "frozen base, the velocity's loss alone (the paper's)": "velocity alone",
        "nothing frozen, rate 1e-3": "joint", "nothing frozen, the rate of the others (3e-3)": "joint, rate 3e-3", "the embedded model, 1.29 million samples of all of it": "embedded", "text only": "text only"}),
    "VIII": ("Features of the image encoders", {"both (CCP)": "frozen", "both, another seed": "frozen, another seed", "shallow": "shallow", "deep": "deep"}),
    "X": ("Data of the reference", {"curriculum (Eq. 10)": "frozen", "curriculum, another seed": "frozen, another seed", "single": "single", "multiview": "multiview", "half and half": "half"}),
    "XI": ("Crops of the reference", {"curriculum (Eq. 11)": "frozen", "curriculum, another seed": "frozen, another seed", "none": "no crop", "random": "random crop"}),
}
COLUMNS = ("samples", "gain", "gain against the first row", "velocity", "correspondence", "identity cosine", "retrieval@1 of 200", "place", "word", "hat", "change inside the mask", "change outside")


def row(panel, run, some, setting, text):
    """Figures of a setting over the cases that it and, for the change, the text-only pictures have."""
    made = score.there(panel, some, run, setting)
    if not made:
        return None
    folder = panel.folder(run, setting)
    rows = panel.look(made, folder)
    both = [r for r in rows if r["case"]["name"] in text]
    out = score.figures(panel, rows)
    return out | (score.outside(both, [text[r["case"]["name"]] for r in both], folder) if both else {})


def markdown(result):
    lines = []
    for name, rows in result.items():
        if name == "notes" or not rows:
            continue
        title, trained = (TABLES | TRAINED)[name][0] + (f" (the paper's Table {name})" if name.isupper() else ""), name in TRAINED
        columns = [c for c in COLUMNS if any(c in r for r in rows.values())]
        lines += [f"## {title}", ""]
        lines += ["| | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
        lines += [f"| {label} | " + " | ".join(cell(r, c) for c in columns) + " |" for label, r in rows.items()]
        if pictures := max(r.get("pictures", 0) for r in rows.values()):
            lines += ["", f"{pictures} pictures a row{', of development individuals' if trained else ''}."]
        lines += ["", *([result["notes"][name], ""] if name in result.get("notes", {}) else [])]
    return "\n".join(lines)


def cell(row, column):
    """A figure, with its standard error where there is one."""
    if column not in row:
        return ""
    digits = 4 if column == "velocity" else 2 if column.startswith(("gain", "corr")) else 3
    number = lambda v: str(v if isinstance(v, int) else round(v, digits))
    return number(row[column]) + (f" ± {number(row[column + ' ±'])}" if column + " ±" in row else "")


def write(out, result):
    """tables.json and tables.md, the paper's inference first. result["notes"]: table -> what has to be said below it, written by hand."""
    (out / "tables.json").write_text(json.dumps(result, indent=1) + "\n")
    (out / "tables.md").write_text(markdown({n: result[n] for n in (*TABLES, *TRAINED, "notes") if n in result}))


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--binary", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[3] / "bin" / "realword")
    p.add_argument("--model", type=pathlib.Path)
    p.add_argument("--run", required=True)
    p.add_argument("--set", default="sub", choices=("sub", "dev", "main"))
    p.add_argument("--tables", nargs="+", default=list(TABLES), choices=TABLES)
    p.add_argument("--limit", type=int)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--cfg")
    p.add_argument("--no-make", action="store_true", help="score what is there, make nothing")
    p.add_argument("--out", type=pathlib.Path, required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    panel = score.Panel(a.work)
    some = fixed.choose(panel.cases, a.set, a.limit)
    a.out.mkdir(parents=True, exist_ok=True)
    file = a.out / "tables.json"
    result = json.loads(file.read_text()) if file.exists() else {}
    text = {r["case"]["name"]: r for r in panel.look(had, panel.folder(a.run, "text"))} if (had := score.there(panel, some, a.run, "text")) else {}
    for name in a.tables:
        rows = {}
        for label, setting in TABLES[name][1].items():
            if not a.no_make:
                made, seconds = runner.run(a.work, a.binary, a.model, a.run, some, setting, a.workers, ["--cfg", a.cfg] if a.cfg else [])
                print(f"{name} {label}: {made} made, {seconds / max(1, made):.2f} s each", flush=True)
            if r := row(panel, a.run, some, setting, text):
                rows[label] = r
        result[name] = rows  # written after each table, so that a run that is cut short leaves the others
        write(a.out, result)
