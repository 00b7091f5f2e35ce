const HALF_POWER = Math.SQRT1_2;

/**
 * Share of each speaker in a mono mix, in the order of the WAV mask bits: front left and right,
 * centre, LFE, back left and right, front left and right of centre, back centre, side left and
 * right. From ffmpeg's libswresample/rematrix.c (surround level √½, LFE dropped).
 */
const SPEAKER_SHARES = [
  ...[HALF_POWER, HALF_POWER, 1, 0, 0.5, 0.5],
  ...[HALF_POWER, HALF_POWER, 0.5, 0.5, 0.5],
];

/** The masks that ffmpeg assumes when a file names none, by number of channels. */
const DEFAULT_MASKS = [0, 0x4, 0x3, 0xb, 0x107, 0x37, 0x3f, 0x70f, 0x63f];

/**
 * Weights `[channels]`, in file order, whose sum is at most 1, so that the mix cannot clip;
 * stereo is ½ and ½. Undefined for a layout outside the table. Equal to `ffmpeg -ac 1`.
 */
export function downmixWeights(channelCount: number, channelMask: number): number[] | undefined {
  if (channelCount === 1) return [1];
  const named = speakersOf(channelMask);
  const isUsable = named.length === channelCount;
  const speakers = isUsable ? named : speakersOf(DEFAULT_MASKS[channelCount] ?? 0);
  const shares = speakers.map((speaker) => SPEAKER_SHARES[speaker] ?? Number.NaN);
  const sum = shares.reduce((total, share) => total + share, 0);
  if (shares.length !== channelCount || !(sum > 0)) return undefined;
  return shares.map((share) => share / Math.max(1, sum));
}

const speakersOf = (mask: number): number[] =>
  Array.from({ length: 32 }, (_, speaker) => speaker).filter((speaker) => (mask >>> speaker) & 1);
