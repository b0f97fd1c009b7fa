"""Beam searches of HuggingFace's transformers, for test/nn/beam-search.test.ts.

    python bench/reference/beam_search.py     # writes test/nn/fixtures/beam-search.json

Needs torch and transformers. The model is a table: the logits after the last two tokens of a sequence.
"""

import json
from pathlib import Path

import torch
import transformers
from transformers import GenerationConfig, GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

VOCABULARY = 7
ROOT = Path(__file__).resolve().parents[2]


class Table(PreTrainedModel, GenerationMixin):
    config_class = PretrainedConfig

    def __init__(self, config, logits):
        super().__init__(config)
        self.logits = torch.nn.Parameter(logits)

    def forward(self, input_ids, **_):
        return CausalLMOutput(logits=self.logits[input_ids[:, :-1], input_ids[:, 1:]])


def main():
    torch.manual_seed(3)
    # Four decimals, so that the file has the same numbers.
    logits = (torch.randn(VOCABULARY, VOCABULARY, VOCABULARY) * 1.5 * 1e4).round() / 1e4
    model = Table(PretrainedConfig(vocab_size=VOCABULARY), logits).eval()
    prompts = [[0, 1], [2, 3, 4], [5, 6], [1, 1, 0, 2]]
    cases = []
    for beams in [2, 3, 4, 6]:
        for length_penalty in [-1.0, 0.0, 0.5, 1.0, 2.0]:
            for stop_tokens in [[], [6], [2, 5]]:
                for new_tokens in [1, 4, 12]:
                    config = GenerationConfig(
                        num_beams=beams,
                        length_penalty=length_penalty,
                        max_new_tokens=new_tokens,
                        eos_token_id=stop_tokens or None,
                        pad_token_id=0,
                        do_sample=False,
                        use_cache=False,
                    )
                    results = []
                    for prompt in prompts:
                        [row] = model.generate(torch.tensor([prompt]), generation_config=config).tolist()
                        tokens = row[len(prompt) :]
                        end = min([tokens.index(stop) for stop in stop_tokens if stop in tokens], default=len(tokens))
                        results.append(tokens[:end])
                    options = {"beams": beams, "lengthPenalty": length_penalty, "maxNewTokens": new_tokens}
                    cases.append({"options": {**options, "stopTokens": stop_tokens}, "tokens": results})
    fixture = {"transformers": transformers.__version__, "vocabulary": VOCABULARY, "logits": [round(x, 4) for x in logits.flatten().tolist()]}
    text = json.dumps({**fixture, "prompts": prompts, "cases": cases}, separators=(",", ":"))
    (ROOT / "test/nn/fixtures/beam-search.json").write_text(text + "\n")


main()
