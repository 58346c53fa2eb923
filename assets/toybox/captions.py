"""Captions of scenes, and where the subject's word stands in them."""
from words import NEW_WORDS, PLACES, hypernyms_of


def article(words):
    return ("an " if words[0] in "aeiou" else "a ") + words


def caption(rng, words, place, colour=None, hat=None, seat=None):
    """A caption for one or two subject words at a place key.

    Returns (text, spans): spans[i] = (start, end) characters of the words that name subject i. colour, if given, is
    said before the first word; hat, what it wears, and seat, what it is on or in, behind it. A coarser word may stand for the first one, and always does for NEW_WORDS.
    """
    said = list(words)
    for i, w in enumerate(words):
        coarse = hypernyms_of(w)
        if coarse and (w in NEW_WORDS or (i == 0 and rng.random() < .12)):
            said[i] = coarse[rng.integers(len(coarse))]
    where = PLACES[place]
    parts, spans = "", []

    def subject(i, before=""):
        nonlocal parts
        full = (before + " " if before else "") + (f"{colour} " if colour and i == 0 else "") + said[i]
        parts += article(full)
        spans.append((len(parts) - len(said[i]), len(parts)))

    if len(words) == 2:
        first = rng.random() < .15
        if first:
            parts = where + ", "
        subject(0)
        parts += " and " if rng.random() < .7 else " next to "
        subject(1)
        if not first:
            parts += " " + where
        return parts, spans
    form, first = rng.random(), rng.random() < .15  # the place comes first
    if first:
        parts = where + (", " if rng.random() < .6 else " there is ")
    elif form < .12:
        parts = "a photo of "
    elif form < .18:
        parts = "a picture of "
    elif form < .22:
        parts = "there is "
    subject(0, "toy" if .22 <= form < .27 else "")
    for more in ("wearing " + hat if hat else "", seat or ""):
        parts += " " + more if more else ""
    if not first and form < .9:
        parts += (", " if form > .82 else " ") + where
    return parts, spans
