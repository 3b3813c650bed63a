#!/usr/bin/env python3
"""Joins keyrite shares into the PIN they were made of, from docs/shares.md alone.

    python3 join.py < shares.txt

On standard input: shares apart by empty lines, each either as its rows of words
or as its line of text. On standard output: the PIN. Use it where keyrite cannot
be used, on a machine without network that you can throw away.
"""
import hashlib
import sys

EVEN = """
aardvark absurd accrue acme adrift adult afflict ahead aimless algol allow alone ammo ancient apple artist assume
athens atlas aztec baboon backfield backward banjo beaming bedlamp beehive beeswax befriend belfast berserk billiard
bison blackjack blockade blowtorch bluebird bombast bookshelf brackish breadline breakup brickyard briefcase burbank
button buzzard cement chairlift chatter checkup chisel choking chopper christmas clamshell classic classroom cleanup
clockwork cobra commence concert cowbell crackdown cranky crowfoot crucial crumpled crusade cubic dashboard deadbolt
deckhand dogsled dragnet drainage dreadful drifter dropper drumbeat drunken dupont dwelling eating edict egghead
eightball endorse endow enlist erase escape exceed eyeglass eyetooth facial fallout flagpole flatfoot flytrap
fracture framework freedom frighten gazelle geiger glitter glucose goggles goldfish gremlin guidance hamlet
highchair hockey indoors indulge inverse involve island jawbone keyboard kickoff kiwi klaxon locale lockup merit
minnow miser mohawk mural music necklace neptune newborn nightbird oakland obtuse offload optic orca payday peachy
pheasant physique playhouse pluto preclude prefer preshrunk printer prowler pupil puppy python quadrant quiver quota
ragtime ratchet rebirth reform regain reindeer rematch repay retouch revenge reward rhythm ribcage ringbolt robust
rocker ruffled sailboat sawdust scallion scenic scorecard scotland seabird select sentence shadow shamrock showgirl
skullcap skydive slingshot slowdown snapline snapshot snowcap snowslide solo southward soybean spaniel spearhead
spellbind spheroid spigot spindle spyglass stagehand stagnate stairway standard stapler steamship sterling stockman
stopwatch stormy sugar surmount suspense sweatband swelter tactics talon tapeworm tempest tiger tissue tonic topmost
tracker transit trauma treadmill trojan trouble tumor tunnel tycoon uncut unearth unwind uproot upset upshot vapor
village virus vulcan waffle wallet watchword wayside willow woodlark zulu
""".split()
ODD = """
adroitness adviser aftermath aggregate alkali almighty amulet amusement antenna applicant apollo armistice article
asteroid atlantic atmosphere autopsy babylon backwater barbecue belowground bifocals bodyguard bookseller borderline
bottomless bradbury bravado brazilian breakaway burlington businessman butterfat camelot candidate cannonball
capricorn caravan caretaker celebrate cellulose certify chambermaid cherokee chicago clergyman coherence combustion
commando company component concurrent confidence conformist congregate consensus consulting corporate corrosion
councilman crossover crucifix cumbersome customer dakota decadence december decimal designing detector detergent
determine dictator dinosaur direction disable disbelief disruptive distortion document embezzle enchanting
enrollment enterprise equation equipment escapade eskimo everyday examine existence exodus fascinate filament
finicky forever fortitude frequency gadgetry galveston getaway glossary gossamer graduate gravity guitarist
hamburger hamilton handiwork hazardous headwaters hemisphere hesitate hideaway holiness hurricane hydraulic
impartial impetus inception indigo inertia infancy inferno informant insincere insurgent integrate intention
inventive istanbul jamaica jupiter leprosy letterhead liberty maritime matchmaker maverick medusa megaton microscope
microwave midsummer millionaire miracle misnomer molasses molecule montana monument mosquito narrative nebula
newsletter norwegian october ohio onlooker opulent orlando outfielder pacific pandemic pandora paperweight paragon
paragraph paramount passenger pedigree pegasus penetrate perceptive performance pharmacy phonetic photograph pioneer
pocketful politeness positive potato processor provincial proximate puberty publisher pyramid quantity racketeer
rebellion recipe recover repellent replica reproduce resistor responsive retraction retrieval retrospect revenue
revival revolver sandalwood sardonic saturday savagery scavenger sensation sociable souvenir specialist speculate
stethoscope stupendous supportive surrender suspicious sympathy tambourine telephone therapist tobacco tolerance
tomorrow torpedo tradition travesty trombonist truncated typewriter ultimate undaunted underfoot unicorn unify
universe unravel upcoming vacancy vagabond vertigo virginia visitor vocalist voyager warranty waterloo whimsical
wichita wilmington wyoming yesteryear yucatan
""".split()


def fail(what):
    sys.exit("join.py: " + what)


def sha256(label, data):
    return hashlib.sha256(label.encode() + b"\n" + data).digest()


def from_words(rows, name):
    """Rows of words to the share's bytes: the last word of a row checks it and all before."""
    share = b""
    for number, row in enumerate(rows, 1):
        here = b""
        for position, word in enumerate(row.replace("-", " ").replace(",", " ").lower().split()):
            words = ODD if position % 2 else EVEN
            if word not in words:
                fail(f"{name}, row {number}: word {position + 1} is not in its list")
            here += bytes([words.index(word)])
        if len(here) < 2 or sha256("keyrite share row v1", share + here[:-1])[0] != here[-1]:
            fail(f"{name}, row {number}: its last word does not fit")
        share += here[:-1]
    return share


def from_text(line, name):
    """keyrite-share/1 origin token number hex"""
    fields = line.split(" ")
    if len(fields) != 5:
        fail(f"{name}: not a line of five fields")
    share = bytes.fromhex(fields[4])
    kind = {1: "SO-PIN", 2: "user PIN"}.get(share[0] & 15)
    text = f"{fields[1]}\n{fields[2]}\n{kind}\n{fields[3]}\n".encode()
    if sha256("keyrite share set v1", text)[:3] != share[3:6]:
        fail(f"{name}: its tag is not that of the origin, token and number beside it")
    return share


def read(block, name):
    lines = [line for line in block.splitlines() if line.strip()]
    text = lines[0].startswith("keyrite-share/")
    b = from_text(lines[0], name) if text else from_words(lines, name)
    if b[0] >> 4 != 1:
        fail(f"{name}: not version 1")
    length = (b[2] & 15) + 1
    if len(b) != 24 + length or sha256("keyrite share v1", b[:-2])[:2] != b[-2:]:
        fail(f"{name}: its checksum does not fit")
    return {"set": b[:2] + b[3:6], "k": b[1] >> 4, "x": b[2] >> 4, "value": b[6:6 + length]}


def multiply(a, b):
    """In the field of AES: polynomials modulo x^8 + x^4 + x^3 + x + 1."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 256:
            a ^= 0x11B
        b >>= 1
    return product


def divide(a, b):
    return next(c for c in range(256) if multiply(b, c) == a)


def join(shares):
    if len({s["set"] for s in shares}) > 1:
        fail("a share is of another set: made at another time, for another token or another PIN")
    if len({s["x"] for s in shares}) < len(shares):
        fail("a share is there twice")
    k = shares[0]["k"]
    if len(shares) < k:
        fail(f"{len(shares)} of the {k} shares that are needed")
    secret = [0] * len(shares[0]["value"])
    for s in shares[:k]:
        weight = 1
        for other in shares[:k]:
            if other is not s:
                weight = multiply(weight, divide(other["x"], other["x"] ^ s["x"]))
        secret = [a ^ multiply(weight, b) for a, b in zip(secret, s["value"])]
    return bytes(secret)


blocks = [b for b in sys.stdin.read().split("\n\n") if b.strip()]
if not blocks:
    fail("no share on standard input")
print(join([read(b, f"share {i}") for i, b in enumerate(blocks, 1)]).decode())
