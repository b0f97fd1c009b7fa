"""The ids that Python's tokenizers library gives for files of several kinds: test/data/fixtures/tokenizers.json.

Run: pip install tokenizers==0.23.3 && python bench/reference/tokenizers_ids.py
"""

import json
import pathlib

import tokenizers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

corpus = [
    "The quick brown fox jumps over the lazy dog, and the lowest newest widest dog sleeps.",
    "Tokenizers split text into pieces; unaffable words become un, aff and able.",
    "Größe, naïve façade, Ångström; 你好世界, こんにちは, 🙂🚀; 3.14159 = π, e=2.71828!",
    "def f(x):\n    return x ** 2  # a comment\n\n\tif x != 0: print('x')",
    "HuggingFace's tokenizers don't, won't, I'll, we've, they're.",
] * 4

texts = [
    "",
    " ",
    "hello world",
    "The quick brown fox",
    "  two  spaces   and\ttabs\nand lines \n\n",
    "unaffable lowest newest",
    "Größe naïve façade Ångström",
    "e\u0301 is e\u0301 in two parts, \u00e9 in one",
    "你好世界 mixed with words世界",
    "🙂🚀 👩‍👩‍👧 and 3.14159",
    "don't won't I'll we've they're HuggingFace's",
    "def f(x):\n    return x ** 2",
    "[CLS] in a text [SEP], [MASK]ed and <pad> and <s>",
    "zero\u200bwidth, nbsp\u00a0here, control\u0001\u0007, bom\ufeff",
    "WHOLE SHOUTING Sentence İstanbul ẞ",
    "x" * 120,
    "a very long text that goes on and on, over the lazy dog and the quick brown fox, until it is cut off somewhere",
    "... --- !!! ???  $%& (a) [b] {c}",
]


def wordpiece(lowercase, truncation):
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made.train_from_iterator(corpus, trainers.WordPieceTrainer(vocab_size=200, special_tokens=special, show_progress=False))
    ends = [(name, made.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    made.decoder = decoders.WordPiece()
    if truncation:
        made.enable_truncation(**truncation)
    return made


def byte_level(roberta, truncation):
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=roberta)
    special = ["<s>", "<pad>", "</s>", "<unk>"] if roberta else ["<|endoftext|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=340, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    made.train_from_iterator(corpus, trainer)
    made.decoder = decoders.ByteLevel()
    made.post_processor = (
        processors.RobertaProcessing(sep=("</s>", 2), cls_token=("<s>", 0)) if roberta else processors.ByteLevel(trim_offsets=False)
    )
    if truncation:
        made.enable_truncation(**truncation)
    return made


def metaspace():
    """As Llama 2's: no pre-tokenizer, spaces as U+2581, bytes for what the vocabulary lacks."""
    alphabet = sorted({c for text in corpus[:2] for c in text.replace(" ", "▁")} | {"▁"})
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + alphabet
    merges = [("▁", "t"), ("h", "e"), ("▁t", "he"), ("e", "s"), ("es", "t"), ("▁", "q"), ("l", "o"), ("lo", "w"), ("▁", "lo")]
    for left, right in merges:
        if left + right not in pieces:
            pieces.append(left + right)
    vocab = {piece: i for i, piece in enumerate(pieces)}
    made = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    made.add_special_tokens(["<s>", "</s>"])
    made.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return made


def whitespace():
    """Sennrich's own: words by white space and punctuation, an end-of-word mark, an unknown token."""
    made = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    made.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=200, special_tokens=["<pad>", "<unk>"], end_of_word_suffix="</w>", limit_alphabet=30, show_progress=False
    )
    made.train_from_iterator(corpus[:2], trainer)
    made.decoder = decoders.BPEDecoder()
    return made


def unigram():
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=120, special_tokens=["<pad>", "<unk>", "</s>"], unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator(corpus, trainer)
    made.decoder = decoders.Metaspace()
    made.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
    return made


def wordlevel():
    made = Tokenizer(models.WordLevel(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.train_from_iterator(
        corpus, trainers.WordLevelTrainer(vocab_size=60, special_tokens=["<pad>", "<unk>"], show_progress=False)
    )
    return made


made = {
    "BERT": wordpiece(True, None),
    "BERT, cased": wordpiece(False, None),
    "BERT, at most 8 tokens": wordpiece(True, {"max_length": 8}),
    "BERT, the last 8 tokens": wordpiece(True, {"max_length": 8, "direction": "left"}),
    "GPT-2": byte_level(False, None),
    "RoBERTa": byte_level(True, None),
    "RoBERTa, at most 6 tokens": byte_level(True, {"max_length": 6}),
    "Llama 2": metaspace(),
    "end-of-word BPE": whitespace(),
    "Unigram": unigram(),
    "WordLevel": wordlevel(),
}
cases = []
for name, tokenizer in made.items():
    ids = [tokenizer.encode(text).ids for text in texts]
    cases.append(
        {
            "name": name,
            "file": json.loads(tokenizer.to_str()),
            "ids": ids,
            "decoded": [tokenizer.decode(each) for each in ids],
        }
    )
out = pathlib.Path(__file__).parents[2] / "test/data/fixtures/tokenizers.json"
out.parent.mkdir(exist_ok=True)
out.write_text(json.dumps({"version": tokenizers.__version__, "texts": texts, "cases": cases}, ensure_ascii=True) + "\n")
