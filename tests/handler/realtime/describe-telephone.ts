import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { g711ToPcm16 } from '../../../handler/realtime/facades/g711.ts';
import { pcm16Bytes } from '../../../handler/realtime/pcm16.ts';
import { runFfmpegForFixture } from '../../fakes/audio-workbench.ts';
import { resultOf } from './listen-results.ts';
import { LiveClient } from './live-client.ts';

interface Access {
  readonly port: number;
  readonly key: string;
  /** The greeting of the sample, at 16 kHz. */
  readonly waveform: Float32Array;
}

/** A waveform as a telephone has it, by ffmpeg. */
async function telephoned(waveform: Float32Array, law: 'mulaw' | 'alaw'): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'stt-test-'));
  const [input, output] = [join(folder, 'in.pcm'), join(folder, 'out')];
  await writeFile(input, pcm16Bytes(waveform));
  const raw = ['-f', 's16le', '-ar', '16000', '-ac', '1', '-i', input];
  await runFfmpegForFixture([...raw, '-ar', '8000', '-f', law, output]);
  return await readFile(output).finally(() => rm(folder, { recursive: true }));
}

const SPOKEN = /^good morning,? everyone.*meeting with the project/i;

/** G.711, of tables and through the whole of both protocols. */
export function describeTelephone(access: () => Access): void {
  test('telephone audio in µ-law and A-law is understood in both protocols', async () => {
    const { port, key, waveform } = access();
    for (const law of ['mulaw', 'alaw'] as const) {
      const audio = await telephoned(waveform, law);
      const url = `ws://127.0.0.1:${port}/v1/listen?encoding=${law}&language=en`;
      const deepgram = new LiveClient(url, {}, ['token', key]);
      await deepgram.send(audio, { type: 'CloseStream' });
      await deepgram.closed;
      const results = deepgram.heard.filter(({ type }) => type === 'Results').map(resultOf);
      expect(results.map(({ transcript }) => transcript).join(' ')).toMatch(SPOKEN);
      const type = law === 'mulaw' ? 'audio/pcmu' : 'audio/pcma';
      const session = { type: 'transcription', audio: { input: { format: { type } } } };
      const openai = new LiveClient(`ws://127.0.0.1:${port}/v1/realtime`, {
        authorization: `Bearer ${key}`,
      });
      await openai.send(
        { type: 'session.update', session },
        { type: 'input_audio_buffer.append', audio: audio.toString('base64') },
        { type: 'input_audio_buffer.commit' },
      );
      const completed = await openai.hears('conversation.item.input_audio_transcription.completed');
      expect(completed['transcript']).toMatch(SPOKEN);
      const deltas = openai.heard.flatMap(({ delta }) => delta ?? []);
      expect(deltas.join('')).toBe(completed['transcript']);
      openai.cut();
      await openai.closed;
    }
  });

  test('G.711 has the levels of its tables', () => {
    // ITU-T G.711 at 16 bits: the ends of the scale and the steps around zero.
    const levels = (codes: number[], law: 'mulaw' | 'alaw') => {
      const pcm16 = g711ToPcm16(Buffer.from(codes), law);
      return codes.map((_, sample) => pcm16.readInt16LE(sample * 2));
    };
    expect(levels([0x00, 0x80, 0xff, 0xfe, 0x7e], 'mulaw')).toEqual([-32124, 32124, 0, 8, -8]);
    expect(levels([0x2a, 0xaa, 0xd5, 0x55, 0xd4], 'alaw')).toEqual([-32256, 32256, 8, -8, 24]);
  });
}
