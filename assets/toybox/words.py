"""The vocabulary of the toybox: subject words with the emoji that draw them, places, colours, hypernyms."""

# word -> emoji (whole bodies where a whole body exists, so that a word has one shape family)
SUBJECTS = {
    "cat": "🐈 🐈‍⬛", "dog": "🐕 🐩 🐕‍🦺", "rabbit": "🐇", "horse": "🐎", "pig": "🐖", "bear": "🐻 🐻‍❄️", "panda": "🐼", "fox": "🦊",
    "elephant": "🐘 🦣", "dinosaur": "🦖 🦕", "unicorn": "🦄", "penguin": "🐧", "duck": "🦆", "owl": "🦉", "frog": "🐸",
    "turtle": "🐢", "fish": "🐟 🐠 🐡", "whale": "🐳 🐋", "robot": "🤖", "ghost": "👻", "snowman": "⛄", "teddy bear": "🧸",
    "car": "🚗 🚙", "truck": "🚚 🛻", "bus": "🚌 🚎", "rocket": "🚀", "boat": "⛵ 🚤", "house": "🏠 🏡", "tree": "🌳 🌲",
    "flower": "🌻 🌷 🌼 🌹", "mushroom": "🍄", "apple": "🍎 🍏", "cup": "☕ 🥤", "ball": "⚽ 🏀 🏐 ⚾", "balloon": "🎈",
    "backpack": "🎒", "hat": "🎩 👒", "pumpkin": "🎃",
}

HYPERNYMS = {
    "animal": "cat dog rabbit horse pig bear panda fox elephant dinosaur unicorn penguin frog turtle".split(),
    "bird": ["penguin", "duck", "owl"], "vehicle": ["car", "truck", "bus", "rocket", "boat"],
    "toy": ["teddy bear", "robot", "ball", "balloon", "rocket", "car", "dinosaur", "ghost"],
    "plant": ["tree", "flower", "mushroom"], "object": ["cup", "backpack", "hat", "pumpkin"],
}

PLACES = {
    "beach": "on the beach", "snow": "in the snow", "jungle": "in the jungle", "space": "in space",
    "city": "in the city at night", "desert": "in the desert", "water": "under water", "meadow": "in a flower meadow",
    "mountains": "in the mountains", "room": "in a living room", "clouds": "in the clouds", "volcano": "near a volcano",
    "blue": "on a blue background", "pink": "on a pink background", "yellow": "on a yellow background",
    "green": "on a green background", "purple": "on a purple background", "white": "on a white background",
}

# places without a ground: subjects float and throw no shadow
FLOATING = {"space", "water", "clouds"}


def hypernyms_of(word):
    """The coarser words that also name this subject."""
    return [h for h, ws in HYPERNYMS.items() if word in ws]
