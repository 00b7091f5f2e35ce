"""openai-whisper's text of prepared clips: the reference of `npm run bench:parity`.

usage: openai_whisper_reference.py HUGGING_FACE_FOLDER CLIPS.json OUT.json LANGUAGE
CLIPS.json: a list of raw files, float32, 16 kHz, 30 s at most. OUT.json: for each way of decoding
a list, one entry a clip, of the segments of the first window.
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
}
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
    return model.eval()


def first_window(model, clip, language, options):
    result = model.transcribe(
        clip, language=language, fp16=False, condition_on_previous_text=False, **options
    )
    return [
        {key: segment[key] for key in ("start", "end", "text", "temperature")}
        for segment in result["segments"]
        if segment["seek"] == 0 and segment["text"].strip()
    ]


if __name__ == "__main__":
    folder, clips_file, out_file, language = sys.argv[1:5]
    torch.manual_seed(0)
    model = load(folder)
    with open(clips_file) as file:
        clips = [np.fromfile(path, dtype=np.float32) for path in json.load(file)]
    answer = {
        way: [first_window(model, clip, language, options) for clip in clips]
        for way, options in WAYS.items()
    }
    with open(out_file, "w") as file:
        json.dump(answer, file)
