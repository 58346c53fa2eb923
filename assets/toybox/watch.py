"""What a training run shows while it runs: a progress bar, sample grids within a budget of time, and a tidy stop."""
import os, signal, sys, time


class Bar:
    """A bar that rewrites its line on a terminal, and lines every now and then where there is none."""

    def __init__(self, out=sys.stdout, every=50):
        self.out, self.every, self.live, self.start, self.first = out, every, out.isatty(), time.time(), None

    def show(self, step, done, text):
        """done 0..1 of the whole training. Whoever calls decides what text says about this step."""
        if not self.live:
            if step % self.every == 0:
                print(text(), file=self.out, flush=True)
            return
        if self.first is None:
            self.first = done
        gone, rest = time.time() - self.start, "?"
        if done > self.first:
            left = gone * (1 - done) / (done - self.first)
            rest = f"{int(left // 3600)}:{int(left // 60 % 60):02}:{int(left % 60):02}"
        full = int(24 * min(done, 1))
        line = f"{'█' * full}{'·' * (24 - full)} {done:4.0%} {rest} left  {text()}"
        try:
            columns = os.get_terminal_size(self.out.fileno()).columns
        except OSError:
            columns = 120
        print("\r\x1b[K" + line[:columns - 1], end="", file=self.out, flush=True)

    def close(self):
        if self.live and self.first is not None:
            print(file=self.out, flush=True)


class Budget:
    """When it is time for something every `every` seconds that may cost no more than `share` of the whole time."""

    def __init__(self, every, share=.02):
        self.every, self.share, self.spent, self.last, self.cost = every, share, 0.0, 0.0, None

    def due(self, seconds, expected):
        """seconds since the start; expected: what the first one will cost. Later ones are expected to cost what the last one did."""
        cost = expected if self.cost is None else self.cost
        return self.every > 0 and seconds - self.last >= self.every and self.spent + cost <= self.share * seconds

    def paid(self, seconds, cost):
        self.spent, self.last, self.cost = self.spent + cost, seconds, cost


class Stop:
    """SIGINT and SIGTERM ask for a stop behind the step at hand, so that everything is saved; the second one is not asked."""

    def __enter__(self):
        self.asked, self.old = False, {}
        for s in (signal.SIGINT, signal.SIGTERM):
            self.old[s] = signal.signal(s, self._ask)
        return self

    def _ask(self, number, frame):
        self.asked = True
        signal.signal(number, signal.SIG_DFL)

    def __exit__(self, *_):
        for s, handler in self.old.items():
            signal.signal(s, handler)


class Grids:
    """Pictures of a few held-out prompts with the averaged weights: DIR/<stage>-samples.png, and one numbered copy each time."""

    PASSES = 62  # forward passes of one picture: 25 steps of two, 12 of them with guidance

    def __init__(self, work, stage, count=4):
        from sample import held_out, with_references
        self.work, self.stage = work, stage
        scenes, chosen = held_out(work, count)
        if not chosen:
            raise SystemExit(f"no held-out scenes in {work}: run `python scenes.py --work DIR --split test --count 600` first, or leave --pictures away")
        self.captions, self.spans, self.squares, self.present = with_references(scenes, chosen)

    def expected(self, seconds_per_step, batch):
        """A training step is about three forward passes of its batch."""
        return self.PASSES * len(self.captions) / batch * seconds_per_step / 3

    def draw(self, model, tokenizer, ema, step):
        """The weights of `ema` are in the model meanwhile, and compiled networks run uncompiled: another batch size would compile them anew."""
        import torch
        from PIL import Image
        from sample import sample
        weights = dict(model.named_parameters())
        kept = {n: weights[n].data for n in ema}
        compiled = [(m, m._compiled_call_impl) for m in model.modules() if m._compiled_call_impl is not None]
        for n, v in ema.items():
            weights[n].data = v
        for m, _ in compiled:
            m._compiled_call_impl = None
        try:
            given = (self.squares, self.present) if self.stage == "reference" else ()
            with torch.no_grad():
                pictures = sample(model, tokenizer, self.captions, self.spans, *given)[0]
        finally:
            for n, v in kept.items():
                weights[n].data = v
            for m, call in compiled:
                m._compiled_call_impl = call
        side = pictures.shape[1]
        sheet = Image.new("RGB", (len(pictures) * (side + 2), (side + 2) * (2 if given else 1)), "white")
        for i, p in enumerate(pictures):
            sheet.paste(Image.fromarray(p), (i * (side + 2), 0))
            if given:
                view = (self.squares[i, 0].permute(1, 2, 0) * 255).byte().numpy()
                sheet.paste(Image.fromarray(view).resize((side, side)), (i * (side + 2), side + 2))
        sheet.save(self.work / f"{self.stage}-samples.png")
        sheet.save(self.work / f"{self.stage}-samples-{step:06d}.png")
