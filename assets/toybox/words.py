"""The vocabulary of the toybox: subject words with the emoji that draw them, places, colours, hypernyms, hats."""

# word -> emoji (whole bodies where a whole body exists, so that a word has one shape family)
SUBJECTS = {
    # animals
    "cat": "🐈 🐈‍⬛", "dog": "🐕 🐩 🐕‍🦺", "rabbit": "🐇", "horse": "🐎", "cow": "🐄 🐂 🐃", "pig": "🐖", "mouse": "🐁 🐀", "hamster": "🐹", "bear": "🐻 🐻‍❄️",
    "panda": "🐼", "koala": "🐨", "tiger": "🐅", "lion": "🦁", "leopard": "🐆", "fox": "🦊", "wolf": "🐺", "monkey": "🐒", "gorilla": "🦍", "elephant": "🐘 🦣",
    "rhinoceros": "🦏", "hippopotamus": "🦛", "giraffe": "🦒", "camel": "🐪 🐫", "llama": "🦙", "deer": "🦌", "goat": "🐐", "sheep": "🐏 🐑", "kangaroo": "🦘",
    "squirrel": "🐿️", "unicorn": "🦄", "dragon": "🐉", "dinosaur": "🦖 🦕", "frog": "🐸", "turtle": "🐢", "crocodile": "🐊", "lizard": "🦎", "snake": "🐍",
    # birds, in the water, small ones
    "chicken": "🐓", "chick": "🐤 🐥", "bird": "🐦", "penguin": "🐧", "duck": "🦆", "swan": "🦢", "owl": "🦉", "eagle": "🦅", "parrot": "🦜", "peacock": "🦚",
    "turkey": "🦃", "fish": "🐟 🐠 🐡", "shark": "🦈", "whale": "🐳 🐋", "dolphin": "🐬", "octopus": "🐙", "crab": "🦀", "snail": "🐌", "butterfly": "🦋", "bee": "🐝",
    "ladybug": "🐞",
    # figures
    "robot": "🤖", "alien": "👽 👾", "ghost": "👻", "snowman": "⛄", "pumpkin": "🎃", "teddy bear": "🧸",
    # vehicles
    "car": "🚗 🚙", "taxi": "🚕", "truck": "🚚 🛻 🚛", "bus": "🚌 🚎", "ambulance": "🚑", "van": "🚐", "motorcycle": "🏍️", "scooter": "🛵 🛴", "bicycle": "🚲",
    "train": "🚂 🚆", "airplane": "✈️ 🛩️", "rocket": "🚀", "boat": "⛵ 🚤", "ship": "🚢",
    # buildings and plants
    "house": "🏠 🏡", "castle": "🏰 🏯", "tent": "⛺", "tree": "🌳 🌲", "palm tree": "🌴", "cactus": "🌵", "flower": "🌻 🌼 🌹 🌺", "tulip": "🌷", "mushroom": "🍄",
    # food
    "apple": "🍎 🍏", "banana": "🍌", "orange": "🍊", "lemon": "🍋", "pear": "🍐", "peach": "🍑", "cherries": "🍒", "strawberry": "🍓", "grapes": "🍇",
    "watermelon": "🍉", "carrot": "🥕", "corn": "🌽", "eggplant": "🍆", "hamburger": "🍔", "pizza": "🍕", "bread": "🍞", "cheese": "🧀", "cake": "🎂 🍰",
    "doughnut": "🍩", "ice cream": "🍦 🍨", "lollipop": "🍭",
    # things
    "cup": "☕ 🥤", "teapot": "🫖", "bottle": "🍾 🍼", "vase": "🏺", "ball": "⚽ 🏀 🏐 ⚾", "balloon": "🎈", "gift": "🎁", "guitar": "🎸", "violin": "🎻",
    "trumpet": "🎺", "drum": "🥁", "camera": "📷 📸", "television": "📺", "clock": "⏰ 🕰️", "umbrella": "☂️ ☔", "backpack": "🎒", "handbag": "👜 👛", "hat": "👒",
    "sneakers": "👟", "boot": "👢", "shirt": "👕", "dress": "👗", "book": "📕 📗 📘", "bell": "🔔", "hammer": "🔨", "chair": "🪑", "globe": "🌍 🌎",
}

# Words that no training caption and no training picture contains: prompted by their hypernym.
NEW_WORDS = {
    "raccoon": "🦝", "hedgehog": "🦔", "zebra": "🦓", "flamingo": "🦩", "lobster": "🦞", "sloth": "🦥", "tractor": "🚜", "helicopter": "🚁", "fountain": "⛲",
    "pineapple": "🍍", "cupcake": "🧁", "pretzel": "🥨", "saxophone": "🎷", "telescope": "🔭", "microscope": "🔬", "kite": "🪁", "accordion": "🪗",
}

HYPERNYMS = {
    "animal": ("cat dog rabbit horse cow pig mouse hamster bear panda koala tiger lion leopard fox wolf monkey gorilla elephant rhinoceros hippopotamus giraffe camel "
               "llama deer goat sheep kangaroo squirrel unicorn dinosaur frog turtle crocodile lizard snake shark whale dolphin octopus crab snail raccoon hedgehog "
               "zebra lobster sloth").split(),
    "bird": "chicken chick bird penguin duck swan owl eagle parrot peacock turkey flamingo".split(),
    "vehicle": "car taxi truck bus ambulance van motorcycle scooter bicycle train airplane rocket boat ship tractor helicopter".split(),
    "toy": ["teddy bear", *"robot ball balloon rocket car dinosaur ghost alien dragon train kite".split()],
    "fruit": "apple banana orange lemon pear peach cherries strawberry grapes watermelon pineapple".split(),
    "food": "apple banana pear strawberry carrot corn eggplant hamburger pizza bread cheese cake doughnut cupcake pretzel".split() + ["ice cream", "lollipop"],
    "plant": ["tree", "palm tree", "cactus", "flower", "tulip", "mushroom"],
    "building": ["house", "castle", "tent", "fountain"],
    "instrument": "guitar violin trumpet drum saxophone accordion".split(),
    "object": ("cup teapot bottle vase gift camera television clock umbrella backpack handbag hat sneakers boot shirt dress book bell hammer chair globe balloon ball "
               "telescope microscope").split(),
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

# What a subject may wear: caption -> emoji; and who may: words whose pictures look to the front with a head at the top.
HATS = {"a top hat": "🎩", "a crown": "👑", "a graduation cap": "🎓", "a cap": "🧢"}
WEARERS = ["hamster", "bear", "panda", "koala", "lion", "fox", "wolf", "frog", "penguin", "owl", "chick", "robot", "alien", "ghost", "snowman", "pumpkin", "teddy bear"]

# What a subject may sit on or in: caption -> (emoji, in front of the subject). It belongs to the scene, never to the subject's mask or reference.
SEATS = {"on a skateboard": ("🛹", False), "on a sled": ("🛷", False), "in a box": ("📦", True), "in a basket": ("🧺", True), "in a bucket": ("🪣", True)}
# Who is too large or flies.
SEATLESS = set("whale dolphin shark airplane rocket ship train castle house tent tree globe butterfly bee bird eagle balloon umbrella ladybug snake".split()) | {"palm tree"}

COLOURS = "red orange yellow green blue purple pink white black brown grey"
# what captions are put together with
JOINTS = ["a", "an", "the", "and", "next to", "wearing", "toy", "photo of", "picture of", "there is", "here is", "with"]


def hypernyms_of(word):
    """The coarser words that also name this subject."""
    return [h for h, ws in HYPERNYMS.items() if word in ws]


def vocabulary():
    """What the model says of the words that it knows, by what they are for; NEW_WORDS are none of them."""
    return {
        "subjects": [*SUBJECTS], "general": [*HYPERNYMS], "colours": COLOURS.split(), "worn": [*HATS], "seats": [*SEATS], "places": [*PLACES.values()],
        "others": JOINTS, "rivals": True,  # what is named and has no picture keeps its place from what has one
    }
