"""Small tokenizers of each kind, trained on the lines of `lines.py`: `kinds()` gives them by name."""

import io
import json

import sentencepiece
from lines import SENTENCES, lines
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CORPUS = list(SENTENCES.values()) * 4 + lines(600, seed=2)
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def ends(made, *names):
    return [(name, made.token_to_id(name)) for name in names]


def bert(lowercase=True):
    made = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=40))
    made.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=900, special_tokens=BERT, show_progress=False, limit_alphabet=500))
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends(made, "[CLS]", "[SEP]")
    )
    made.decoder = decoders.WordPiece()
    return made


def gpt2(special=("<|endoftext|>",), add_prefix_space=False):
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    trainer = trainers.BpeTrainer(
        vocab_size=1000, special_tokens=list(special), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    made.train_from_iterator(CORPUS, trainer)
    made.decoder = decoders.ByteLevel()
    made.post_processor = processors.ByteLevel(trim_offsets=False)
    return made


def roberta():
    made = gpt2(["<s>", "<pad>", "</s>", "<unk>"], True)
    made.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    made.post_processor = processors.RobertaProcessing(sep=("</s>", 2), cls_token=("<s>", 0))
    return made


def llama2():
    """No pre-tokenizer, spaces as U+2581, bytes for what the vocabulary lacks."""
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.normalizer = normalizers.Replace(" ", "▁")
    trained.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=special, limit_alphabet=200, show_progress=False)
    trained.train_from_iterator(CORPUS, trainer)
    model = json.loads(trained.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    made = Tokenizer(models.BPE(vocab=model["vocab"], merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    made.add_special_tokens([AddedToken(name, normalized=False) for name in ("<unk>", "<s>", "</s>")])
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=ends(made, "<s>")
    )
    return made


def llama3():
    """Llama 3 and Qwen: their own regular expression, then bytes; whole words are taken before merges."""
    made = Tokenizer(models.BPE(ignore_merges=True))
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=1000, special_tokens=["<|endoftext|>", "<|im_start|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    made.train_from_iterator(CORPUS, trainer)
    made.decoder = decoders.ByteLevel()
    made.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=True),
            processors.TemplateProcessing(
                single="<|endoftext|> $A", pair="<|endoftext|> $A <|endoftext|>:1 $B:1", special_tokens=ends(made, "<|endoftext|>")
            ),
        ]
    )
    return made


def charsmap():
    """SentencePiece's table nmt_nfkc, which XLM-R and T5 carry; sentencepiece writes it into each model that it trains."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a b c d e f g"] * 20), model_writer=model, vocab_size=12, minloglevel=2, hard_vocab_limit=False
    )
    # ModelProto.normalizer_spec (field 3).precompiled_charsmap (field 2)
    return field(field(model.getvalue(), 3), 2)


def field(message, wanted):
    """The bytes of a field of a protobuf message."""

    def varint(at):
        value = shift = 0
        while True:
            byte = message[at]
            value |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                return value, at

    at = 0
    while at < len(message):
        key, at = varint(at)
        if key & 7 == 2:
            length, at = varint(at)
            if key >> 3 == wanted:
                return message[at : at + length]
            at += length
        elif key & 7 == 0:
            _, at = varint(at)
        else:
            at += 4 if key & 7 == 5 else 8
    raise ValueError(f"no field {wanted}")


def xlmr(normalizer):
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizer
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=1000, special_tokens=special, unk_token="<unk>", show_progress=False)
    made.train_from_iterator(CORPUS[: len(SENTENCES) * 4], trainer)
    made.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=True)])
    made.decoder = decoders.Metaspace()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ends(made, "<s>", "</s>")
    )
    return made


def words():
    """Sennrich's own: words by white space and punctuation, an end-of-word mark, an unknown token."""
    made = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=True))
    made.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip()])
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=["<pad>", "<unk>"], end_of_word_suffix="</w>", limit_alphabet=150, show_progress=False
    )
    made.train_from_iterator(CORPUS, trainer)
    made.add_tokens([AddedToken("fox", single_word=True), AddedToken("the", single_word=True, normalized=True), "Σ"])
    made.decoder = decoders.BPEDecoder()
    return made


def word_level():
    made = Tokenizer(models.WordLevel(unk_token="<unk>"))
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.Metaspace(prepend_scheme="first")]
    )
    made.train_from_iterator(CORPUS, trainers.WordLevelTrainer(vocab_size=400, special_tokens=["<pad>", "<unk>"], show_progress=False))
    return made


def kinds():
    return {
        "BERT": bert(),
        "BERT, cased": bert(False),
        "GPT-2": gpt2(),
        "RoBERTa": roberta(),
        "Llama 2": llama2(),
        "Llama 3": llama3(),
        "XLM-R": xlmr(normalizers.Precompiled(charsmap())),
        "end-of-word BPE": words(),
        "WordLevel": word_level(),
    }


def pieces():
    """Tokenizers whose tokens are the pieces of a pre-tokenizer: each is the unknown token."""
    behaviors = ["isolated", "removed", "contiguous", "merged_with_previous", "merged_with_next"]
    for pre_tokenizer in [
        *(pre_tokenizers.Split(" ", behavior) for behavior in behaviors),
        *(pre_tokenizers.Split(Regex(r"\p{L}+|\d"), behavior, invert=True) for behavior in behaviors),
        *(pre_tokenizers.Punctuation(behavior) for behavior in behaviors),
        pre_tokenizers.Digits(),
        pre_tokenizers.CharDelimiterSplit("e"),
        pre_tokenizers.WhitespaceSplit(),
        pre_tokenizers.FixedLength(3),
        pre_tokenizers.Metaspace(prepend_scheme="never", split=False),
        pre_tokenizers.Sequence([pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Metaspace(prepend_scheme="first")]),
    ]:
        made = Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
        made.pre_tokenizer = pre_tokenizer
        yield made


def characters():
    """Tokenizers whose tokens are the bytes of the normalized text."""
    for normalizer in [
        normalizers.NFC(),
        normalizers.NFD(),
        normalizers.NFKC(),
        normalizers.NFKD(),
        normalizers.Nmt(),
        normalizers.Strip(left=True, right=False),
        normalizers.Strip(left=False, right=True),
        normalizers.StripAccents(),
        normalizers.Lowercase(),
        normalizers.Replace(Regex(r"\s+"), "__"),
        normalizers.Replace("e", ""),
        normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.NFC(), normalizers.Prepend("é")]),
        normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=True, strip_accents=True, lowercase=False),
    ]:
        vocabulary = {f"<0x{byte:02X}>": byte for byte in range(256)} | {"<unk>": 256}
        made = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True))
        made.normalizer = normalizer
        yield made
