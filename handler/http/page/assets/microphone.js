import { ServiceError } from './service.js';

const WANTED_HZ = 16_000;

/** @typedef {{ sampleRateHz: number, close: () => Promise<void> }} Microphone */

/**
 * Opens the microphone; its pieces are 16-bit mono.
 * @param {{ onPiece: (piece: Int16Array<ArrayBuffer>) => void, onLost: () => void }} hooks `onLost`: it was unplugged, or taken away
 * @returns {Promise<Microphone>}
 */
export async function openMicrophone({ onPiece, onLost }) {
  if (navigator.mediaDevices === undefined) throw new ServiceError('MIC_INSECURE');
  const stream = await navigator.mediaDevices
    .getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true } })
    .catch((error) => {
      throw new ServiceError(error.name === 'NotFoundError' ? 'MIC_MISSING' : 'MIC_DENIED');
    });
  const { context, source } = connected(stream);
  await context.audioWorklet.addModule('/page/capture-worklet.js').catch(async () => {
    await close(stream, context);
    throw new ServiceError('NETWORK');
  });
  const node = new AudioWorkletNode(context, 'capture', { numberOfOutputs: 0 });
  node.port.onmessage = ({ data }) => onPiece(data);
  source.connect(node);
  for (const track of stream.getTracks()) track.onended = onLost;
  // A phone call interrupts the context of some browsers.
  context.onstatechange = () => {
    if (context.state !== 'closed') void context.resume().catch(() => undefined);
  };
  await context.resume();
  return {
    sampleRateHz: context.sampleRate,
    close: async () => {
      node.port.onmessage = null;
      await close(stream, context);
    },
  };
}

/** @param {MediaStream} stream @param {AudioContext} context */
async function close(stream, context) {
  for (const track of stream.getTracks()) track.stop();
  if (context.state !== 'closed') await context.close();
}

/** Some browsers do not resample a microphone: then the service does. @param {MediaStream} stream */
function connected(stream) {
  const context = new AudioContext({ sampleRate: WANTED_HZ });
  try {
    return { context, source: context.createMediaStreamSource(stream) };
  } catch {
    void context.close();
    const native = new AudioContext();
    return { context: native, source: native.createMediaStreamSource(stream) };
  }
}
