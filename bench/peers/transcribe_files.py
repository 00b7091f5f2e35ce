"""Texts and languages of prepared files by a peer: a column of `npm run bench:languages`.

usage: transcribe_files.py PEER FOLDER FILES.json OUT.json
PEER: faster-whisper-greedy, faster-whisper-beam (both int8, CTranslate2 folder), openai-whisper
(float32, Hugging Face folder). No language is given. OUT.json: a list of {text, language}, one a file.
"""
import json
import sys

peer, folder, files_path, out_path = sys.argv[1:5]
with open(files_path) as file:
    files = json.load(file)

if peer == "openai-whisper":
    import openai_whisper_reference as reference

    import soundfile
    import torch

    torch.manual_seed(0)
    model = reference.load(folder)

    def transcribe(path):
        samples, _rate = soundfile.read(path, dtype="float32")
        result = model.transcribe(samples, fp16=False, condition_on_previous_text=False)
        return {"text": result["text"], "language": result["language"]}

else:
    from faster_whisper import WhisperModel

    beam_size = 5 if peer == "faster-whisper-beam" else 1
    model = WhisperModel(folder, device="cpu", compute_type="int8")

    def transcribe(path):
        segments, info = model.transcribe(
            path, beam_size=beam_size, vad_filter=True, condition_on_previous_text=False
        )
        return {"text": " ".join(segment.text for segment in segments), "language": info.language}


answers = [transcribe(path) for path in files]
with open(out_path, "w") as file:
    json.dump(answers, file, ensure_ascii=False)
