const CHUNK_SEC = 0.1;

/** Hands the microphone on as pieces of 16-bit samples. */
class Capture extends AudioWorkletProcessor {
  #chunk = new Int16Array(Math.round(sampleRate * CHUNK_SEC));
  #filled = 0;

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const channels = inputs[0] ?? [];
    const count = channels[0]?.length ?? 0;
    for (let sample = 0; sample < count; sample++) {
      let sum = 0;
      for (const channel of channels) sum += channel[sample] ?? 0;
      const value = Math.max(-1, Math.min(1, sum / channels.length));
      this.#chunk[this.#filled++] = Math.round(value * 32767);
      if (this.#filled === this.#chunk.length) {
        this.port.postMessage(this.#chunk.slice());
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor('capture', Capture);
