import { SttError } from '../core/errors.ts';
import type { SpooledSamples } from './spooled-waveform.ts';
import type { AudioWarning } from './waveform.ts';

/** Which of a file's audio tracks is meant. */
export interface AudioTracks {
  readonly count: number;
  /** Counted from 0. */
  readonly chosen: number;
}

/** A line of `-v level+info` for each track; the values of a file's own tags stand behind a colon. */
const AUDIO_TRACK = /^\[info\] +Stream #0:\S+ Audio: (?<format>.*)$/;

/** WAV masks of the layouts that ffmpeg names, in libavutil/channel_layout.c. */
const LAYOUT_MASKS: Readonly<Record<string, number>> = {
  ...{ stereo: 0x3, '2.1': 0xb, '3.0': 0x7, '3.0(back)': 0x103, '4.0': 0x107, quad: 0x33 },
  ...{ 'quad(side)': 0x603, '3.1': 0xf, '5.0': 0x37, '5.0(side)': 0x607, '4.1': 0x10f },
  ...{ '5.1': 0x3f, '5.1(side)': 0x60f, '6.0': 0x707, '6.0(front)': 0x6c3, hexagonal: 0x137 },
  ...{ '6.1': 0x70f, '6.1(back)': 0x13f, '6.1(front)': 0x6cb, '7.0': 0x637, '7.0(front)': 0x6c7 },
  ...{ '7.1': 0x63f, '7.1(wide)': 0xff, '7.1(wide-side)': 0x6cf, octagonal: 0x737 },
};
/** Below this a track says nothing. */
const SILENT_DB = -90;

/** @throws {SttError} INPUT_INVALID */
export const onlyTrack = (asked: number | null): AudioTracks => chooseTrack([false], asked);

/** The track to decode, as ffmpeg describes the file. */
export interface FoundTrack extends AudioTracks {
  /** Speaker bits of WAVE_FORMAT_EXTENSIBLE, 0 for a layout without a name. */
  readonly channelMask: number;
}

/**
 * The track that is asked for, else the one that is marked as default, else the first; `count` 0 where
 * none is listed, which is left to the decoder to complain of.
 * @param listing what ffmpeg prints of its input with `-v level+info`.
 * @throws {SttError} INPUT_INVALID for a track that there is not.
 */
export function findTrack(listing: readonly string[], asked: number | null): FoundTrack {
  const formats = listing.flatMap((line) => AUDIO_TRACK.exec(line)?.groups?.['format'] ?? []);
  if (formats.length === 0) return { count: 0, chosen: asked ?? 0, channelMask: 0 };
  const tracks = chooseTrack(
    formats.map((format) => format.includes('(default)')),
    asked,
  );
  // Codec, rate, layout, sample format.
  const layout = / Hz, (?<layout>[^, ]+)/.exec(formats[tracks.chosen] ?? '')?.groups?.['layout'];
  return { ...tracks, channelMask: LAYOUT_MASKS[layout ?? ''] ?? 0 };
}

function chooseTrack(areDefault: readonly boolean[], asked: number | null): AudioTracks {
  const count = areDefault.length;
  if (asked !== null && asked >= count) {
    const found = count === 1 ? '1 audio track' : `${count} audio tracks`;
    const message = `audio_track: the file has ${found}, counted from 0`;
    throw new SttError('INPUT_INVALID', message);
  }
  return { count, chosen: asked ?? Math.max(0, areDefault.indexOf(true)) };
}

/** What is to be known about a choice among several tracks. */
export function trackWarnings(
  { count, chosen }: AudioTracks,
  waveforms: readonly SpooledSamples[],
): AudioWarning[] {
  if (count < 2) return [];
  const several = `The file has ${count} audio tracks: track ${chosen}, counted from 0, was taken`;
  const warnings: AudioWarning[] = [{ code: 'AUDIO_TRACKS', message: several, count }];
  if (waveforms.every(({ peakLevelDb }) => peakLevelDb < SILENT_DB)) {
    const message = `Track ${chosen} is silent: audio_track chooses another one`;
    warnings.push({ code: 'AUDIO_TRACK_SILENT', message });
  }
  return warnings;
}
