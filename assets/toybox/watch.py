"""What a training run shows while it runs: a progress bar; and a tidy stop."""
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
