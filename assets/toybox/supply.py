"""Where the scenes of a training come from: blocks that lie in its folder, and blocks that scenes.py composes meanwhile in the background."""
import os, pathlib, shutil, signal, subprocess, sys, time, zlib
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
BYTES = 125_000  # a scene's, with its references


def scratch(work, count):
    """A folder for so many scenes: in memory, where the system has such a folder (Linux's /dev/shm) and room in it, else below work."""
    memory, work = pathlib.Path("/dev/shm"), work.resolve()
    for left in memory.glob("realword-toybox-*/of"):  # of a run that was killed, and whose folder is gone
        if not pathlib.Path(left.read_text()).exists():
            shutil.rmtree(left.parent, ignore_errors=True)
    out = memory / f"realword-toybox-{zlib.crc32(str(work).encode()):08x}"
    if not out.exists() and not (memory.exists() and shutil.disk_usage(memory).free > 1.2 * BYTES * count):
        out = work / "scenes"
    out.mkdir(parents=True, exist_ok=True)
    (out / "of").write_text(str(work))
    return out


def lengths(*folders):
    """How many scenes each block has."""
    return [len(np.load(str(path)[:-len("meta.json")] + "pictures.npy", mmap_mode="r")) for f in folders for path in sorted(f.glob("train-*-meta.json"))]


class Supply:
    """poll() adds what is new to the store. Up to `count` scenes are composed by `workers` processes, as many as the folder `work` has less;
    `also`: other folders where blocks lie or come. blocks: take no more than so many."""

    def __init__(self, store, tokenizer, work, also=(), count=0, workers=0, blocks=None):
        self.store, self.tokenizer, self.folders, self.blocks, self.running = store, tokenizer, [work, *also], blocks, []
        self.work, self.checked, self.temporary = work, 0.0, None
        less = count - sum(lengths(work)) if workers else 0
        if less > 0:
            self.temporary = scratch(work, less)
            self.folders.append(self.temporary)
            self.compose("--split", "train", "--count", less, "--first", len(lengths(work)), "--workers", workers, "--out", self.temporary,
                         "--block", min(500, max(25, less // (4 * workers))))

    def compose(self, *arguments):
        """Starts scenes.py in the background, behind everything that trains. It ends when this process does."""
        command = [*(["nice"] if shutil.which("nice") else []), sys.executable, HERE / "scenes.py", "--work", self.work, *arguments]
        self.running.append(subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, start_new_session=True))

    def poll(self, every=0.0):
        """Adds new blocks; looks no more often than `every` seconds."""
        if every and time.time() - self.checked < every:
            return
        self.checked = time.time()
        ended = [p for p in self.running if p.poll() is not None]  # looked at before the folders: what these wrote is there
        for folder in self.folders:
            for path in sorted(folder.glob("train-*-meta.json")):
                prefix = str(path)[:-len("-meta.json")]
                if prefix not in self.store.blocks and (self.blocks is None or len(self.store.blocks) < self.blocks):
                    self.store.add(prefix, self.tokenizer)
        for p in ended:
            self.running.remove(p)
            if p.returncode:
                print(f"composing scenes ended with status {p.returncode}: training goes on with {len(self.store)} scenes", flush=True)

    def wait(self, count, more=lambda: False):
        """Until so many scenes are there, or none come any more. more: may others compose some?"""
        self.poll()
        while len(self.store) < count and (self.running or more()):
            time.sleep(.2)
            self.poll()
        if not len(self.store):
            raise SystemExit(f"no scenes in {', '.join(map(str, self.folders))}: run `python scenes.py --work {self.work}`, or give --render and --scenes")

    def close(self, remove=False):
        """Ends what composes. remove: the composed scenes go, too, if they lie in memory."""
        for p in self.running:
            try:
                os.killpg(p.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
            p.wait()
        self.running = []
        if remove and self.temporary and self.temporary.parts[:3] == ("/", "dev", "shm"):
            shutil.rmtree(self.temporary, ignore_errors=True)
