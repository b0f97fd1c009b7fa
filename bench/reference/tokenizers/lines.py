"""Lines of many scripts, the same on each run: `lines(count)`. Each is made of words of one or two scripts, or of characters that are hard to tokenize."""

import random

SENTENCES = {
    "latin": "The quick brown fox jumps over the lazy dog, and 17 newest widest dogs sleep. Größe, naïve façade, Ångström; "
    "l'été dernier à Besançon coûtait 3,50 €. Zażółć gęślą jaźń! Příliš žluťoučký kůň. İstanbul ve ılık Iğdır. "
    "don't won't I'll we've they're HuggingFace's U.S.A. e.g. foo_bar(x) == 3.14159 && y != -2e10; ﬁne ﬂow ĳ ẞ ǅ",
    "cyrillic": "Съешь же ещё этих мягких французских булок, да выпей чаю. Ґанок і їжак у Києві. ЁЛКА йод Ѣ",
    "greek": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. ΟΔΥΣΣΕΥΣ ἄνθρωπος ᾧ ΐ ΰ τῆς Ἑλλάδος ͅ",
    "arabic": "نص حكيم له سر قاطع وذو شأن عظيم. مُحَمَّدٌ ﷺ لا ﻻ ١٢٣٤ كتابٌ، هل؟",
    "hebrew": "דג סקרן שט בים מאוכזב ולפתע מצא חברה. בְּרֵאשִׁית שָׁלוֹם ״ציטוט״",
    "devanagari": "ऋषियों को सताने वाले दुष्ट राक्षसों के राजा। क्षत्रिय ज्ञान १२३ हिन्दी क़लम",
    "thai": "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า กว่าบรรดาฝูงสัตว์ ๑๒๓ น้ำ",
    "chinese": "你好世界，天地玄黃宇宙洪荒。ＡＢＣ１２３ 㐀 𠀀 豈 「引用」《书》",
    "japanese": "いろはにほへと ちりぬるを カタカナ ガギグ ｶﾞｷﾞｸﾞ が 東京は日本の首都です。㍿ ㌔ ヷ",
    "hangul": "다람쥐 헌 쳇바퀴에 타고파. 한국어 ㅎㅏㄴ 한글 값이 ㈜",
    "emoji": "👩‍👩‍👧‍👦 👍🏽 🇫🇷 ❤️ 🙂🚀 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣ ☎︎ 𝒳𝔸 ½ ² ™ …",
}
HARD = [
    "e\u0301", "a\u0323\u0307", "q\u0307\u0323", "n\u0303\u0330", "\u1e0b\u0323", "\u212b", "\u1100\u1161\u11a8", "\u0f73",
    "\u00a0", "\u200b", "\u200d", "\ufeff", "\u2028", "\u2003", "\u3000", "\u0085", "\u00ad", "\t", "\n", "\r\n", "\x00", "\x07",
    "\x1b", "\x7f", "\ufffd", "\ue000", "  ", "   ", " ", "\u0300", "\u0345", "\u2581", "\u0120", "ﬃ", "Ⅷ", "㎏", "\u1e9b\u0323",
    "<s>", "</s>", "<unk>", "<pad>", "[CLS]", "[SEP]", "[MASK]", "<mask>", " <mask> ", "<|endoftext|>", "<0x0A>", "##ing", "'s", "'ll",
    "...", "---", "!?", "(a)", "{b}", "$5", "#tag", "@me", "https://a.b/c?d=e&f", "x" * 30, "é" * 10, "0123456789",
]


def words():
    return {script: text.split(" ") for script, text in SENTENCES.items()}


def lines(count, seed=1):
    """The first lines are whole sentences, single hard pieces, and the empty line; the others are drawn."""
    rng = random.Random(seed)
    bank = words()
    scripts = sorted(bank)
    made = ["", " ", "\n", *SENTENCES.values(), *HARD, *(f"a{piece}b" for piece in HARD)]
    while len(made) < count:
        chosen = rng.sample(scripts, rng.choice([1, 1, 1, 2, 3]))
        parts = []
        for _ in range(min(400, int(rng.lognormvariate(1.8, 0.8)) + 1)):
            draw = rng.random()
            if draw < 0.82:
                parts.append(rng.choice(bank[rng.choice(chosen)]))
            elif draw < 0.95:
                parts.append(rng.choice(HARD))
            else:
                parts.append("".join(chr(rng.choice(RANGES)) for _ in range(rng.randint(1, 4))))
        joint = rng.choice([" ", " ", " ", " ", "", "  "])
        made.append(joint.join(parts))
    return made[:count]


# Characters that Unicode has had for long: Python's library and JavaScript know newer ones from different versions of Unicode.
RANGES = [
    point
    for begin, end in [
        (0x20, 0x7E), (0xA1, 0x17F), (0x250, 0x2AF), (0x300, 0x34E), (0x391, 0x3A1), (0x3A3, 0x3CE), (0x410, 0x45F), (0x5D0, 0x5EA),
        (0x621, 0x652), (0x905, 0x939), (0xE01, 0xE3A), (0x1E00, 0x1EFF), (0x2010, 0x2027), (0x2070, 0x2071), (0x20A0, 0x20AC),
        (0x2100, 0x2138), (0x2460, 0x24FF), (0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x4F00), (0xAC00, 0xAD00), (0xFB00, 0xFB06),
        (0xFE30, 0xFE44), (0xFF01, 0xFF5E), (0x1D400, 0x1D454), (0x1F300, 0x1F320), (0x1F600, 0x1F64F), (0x20000, 0x20010),
    ]
    for point in range(begin, end + 1)
]
