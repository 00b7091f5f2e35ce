"""openai-whisper's text of prepared clips: the reference of `bench:parity` and `bench:word-times`.

usage: openai_whisper_reference.py HUGGING_FACE_FOLDER CLIPS.json OUT.json LANGUAGE [WAY ...]
CLIPS.json: a list of raw files, float32, 16 kHz, 30 s at most, each a path or {"path", "language"}.
OUT.json: for each way of decoding, by default all without words, a list, one entry a clip, of the
segments of the first window.
"""
import json
import sys

import numpy as np
import torch
from safetensors.torch import load_file
from whisper.model import ModelDimensions, Whisper

WAYS = {
    "greedy": {"temperature": 0.0},
    "fallback": {"temperature": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)},
    "beam 5": {"temperature": 0.0, "beam_size": 5},
    "words": {"temperature": 0.0, "word_timestamps": True},
}
TEXT_WAYS = ["greedy", "fallback", "beam 5"]
KEYS = ("start", "end", "text", "temperature", "words")
RENAMED = [
    ("model.", ""),
    (".layers.", ".blocks."),
    ("encoder_attn_layer_norm", "cross_attn_ln"),
    ("self_attn_layer_norm", "attn_ln"),
    ("final_layer_norm", "mlp_ln"),
    ("encoder_attn.", "cross_attn."),
    ("self_attn.", "attn."),
    (".q_proj", ".query"),
    (".k_proj", ".key"),
    (".v_proj", ".value"),
    (".out_proj", ".out"),
    (".fc1", ".mlp.0"),
    (".fc2", ".mlp.2"),
    ("encoder.embed_positions.weight", "encoder.positional_embedding"),
    ("decoder.embed_positions.weight", "decoder.positional_embedding"),
    ("decoder.embed_tokens", "decoder.token_embedding"),
    ("encoder.layer_norm.", "encoder.ln_post."),
    ("decoder.layer_norm.", "decoder.ln."),
]


def load(folder):
    with open(f"{folder}/config.json") as file:
        config = json.load(file)
    model = Whisper(
        ModelDimensions(
            n_mels=config["num_mel_bins"],
            n_audio_ctx=config["max_source_positions"],
            n_audio_state=config["d_model"],
            n_audio_head=config["encoder_attention_heads"],
            n_audio_layer=config["encoder_layers"],
            n_vocab=config["vocab_size"],
            n_text_ctx=config["max_target_positions"],
            n_text_state=config["d_model"],
            n_text_head=config["decoder_attention_heads"],
            n_text_layer=config["decoder_layers"],
        )
    )
    state = {}
    for name, tensor in load_file(f"{folder}/model.safetensors").items():
        for old, new in RENAMED:
            name = name.replace(old, new)
        if name != "proj_out.weight":
            state[name] = tensor.float()
    model.load_state_dict(state, strict=False)
    with open(f"{folder}/generation_config.json") as file:
        heads = json.load(file).get("alignment_heads")
    if heads:
        chosen = torch.zeros(config["decoder_layers"], config["decoder_attention_heads"])
        for layer, head in heads:
            chosen[layer, head] = 1
        model.register_buffer("alignment_heads", chosen.bool().to_sparse(), persistent=False)
    return model.eval()


def first_window(model, clip, options):
    result = model.transcribe(
        np.fromfile(clip["path"], dtype=np.float32),
        language=clip["language"],
        fp16=False,
        condition_on_previous_text=False,
        **options,
    )
    return [
        {key: segment[key] for key in KEYS if key in segment}
        for segment in result["segments"]
        if segment["seek"] == 0 and segment["text"].strip()
    ]


if __name__ == "__main__":
    folder, clips_file, out_file, language, *ways = sys.argv[1:]
    torch.manual_seed(0)
    model = load(folder)
    with open(clips_file) as file:
        listed = json.load(file)
    clips = [{"path": clip, "language": language} if isinstance(clip, str) else clip for clip in listed]
    answer = {
        way: [first_window(model, clip, WAYS[way]) for clip in clips] for way in ways or TEXT_WAYS
    }
    with open(out_file, "w") as file:
        json.dump(answer, file)
