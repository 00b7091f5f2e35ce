import type { TranscriptWarning } from '../pipeline/contracts.ts';
import type { JobInput } from './schema.ts';

/** What was asked for and this version cannot do, told in the result instead of ignored. */
export function warningsOf(input: JobInput): TranscriptWarning[] {
  const { diarize, num_speakers, min_speakers, max_speakers } = input;
  const wantsSpeakers =
    diarize || [num_speakers, min_speakers, max_speakers].some((count) => count !== null);
  return [
    ...(wantsSpeakers
      ? [
          {
            code: 'DIARIZATION_UNAVAILABLE',
            message: 'Speakers were asked for; this version does not tell them apart',
          },
        ]
      : []),
  ];
}
