import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';
import type { TimedText } from '../formats/cue.ts';
import { formatSegmentsInSlices, type TextFormat } from '../formats/format-segments.ts';
import { timeSlices } from '../formats/time-slices.ts';
import { describeIssues, MAX_ISSUES } from '../input-issues.ts';
import type { JsonLimits } from '../json-limits.ts';
import { readInput } from '../read-input.ts';
import { SubtitleInput, toDocumentOptions } from '../subtitle-options.ts';

/** A day of short remarks, and more than can be said within one segment. */
const MAX_SEGMENTS = 50_000;
const MAX_SEGMENT_CHARS = 20_000;
const MAX_SEGMENT_WORDS = 5000;
const MAX_WORD_CHARS = 1000;
const MAX_NAME_CHARS = 256;
/** Four months; further on a cue's times are no times any more. */
const MAX_SEC = 1e7;
const MEBIBYTE = 1024 * 1024;
/** A transcript with the times of its words: five hours and more. */
const TRANSCRIPT_JSON: JsonLimits = {
  maxChars: 4 * MEBIBYTE,
  maxMembers: MAX_SEGMENTS + 1,
  maxValues: 500_000,
  maxDepth: 8,
};
/** As many characters, most of them Korean. */
const MAX_BODY_BYTES = 10 * MEBIBYTE;

const seconds = z.number().min(0).max(MAX_SEC);
const confidence = z.number().min(0).max(1);
const name = z.string().max(MAX_NAME_CHARS);

const Word = z.object({
  word: z.string().max(MAX_WORD_CHARS),
  start: seconds,
  end: seconds,
  confidence,
});
const Segment = z.object({
  start: seconds,
  end: seconds,
  text: z.string().max(MAX_SEGMENT_CHARS),
  speaker: name.optional(),
  confidence: confidence.optional(),
  words: z.array(Word).max(MAX_SEGMENT_WORDS).optional(),
});

/** A transcript that is to be written in another format, without recognising it again. */
export const FormatRequestSchema = z.strictObject({
  /** As in a result; what else a segment has is left out. */
  segments: z.array(Segment).max(MAX_SEGMENTS),
  output_format: z.enum(['text', 'srt', 'vtt', 'tsv', 'rttm', 'ctm']),
  subtitle: SubtitleInput.nullish(),
  /** What rttm and ctm call the recording. */
  recording: name.nullish(),
});

/** Segments are looked at one by one, so that other requests need not wait for all of them. */
const Envelope = FormatRequestSchema.extend({ segments: z.array(z.unknown()).max(MAX_SEGMENTS) });

export const FORMAT_CONTENT_TYPES: Readonly<Record<TextFormat, string>> = {
  text: 'text/plain; charset=utf-8',
  srt: 'application/x-subrip; charset=utf-8',
  vtt: 'text/vtt; charset=utf-8',
  tsv: 'text/tab-separated-values; charset=utf-8',
  rttm: 'text/plain; charset=utf-8',
  ctm: 'text/plain; charset=utf-8',
};

/** `POST /stt/format`: the segments of a result as a document. */
export function addFormatRoute(app: FastifyInstance): void {
  const config = { json: TRANSCRIPT_JSON };
  app.post('/stt/format', { config, bodyLimit: MAX_BODY_BYTES }, async ({ body }, reply) => {
    const { segments, output_format, subtitle, recording } = readInput(Envelope, body);
    const options = toDocumentOptions(subtitle ?? null, recording ?? null);
    const document = await formatSegmentsInSlices(
      await parseSegments(segments),
      output_format,
      options,
    );
    return reply.type(FORMAT_CONTENT_TYPES[output_format]).send(document);
  });
}

/** @throws {SttError} INPUT_INVALID naming what is wrong with the first bad segment. */
async function parseSegments(rawSegments: readonly unknown[]): Promise<TimedText[]> {
  const segments: TimedText[] = [];
  const endOfStep = timeSlices();
  for (const [index, raw] of rawSegments.entries()) {
    const parsed = Segment.safeParse(raw);
    if (!parsed.success) {
      const issues = parsed.error.issues.slice(0, MAX_ISSUES).map((issue) => ({
        ...issue,
        path: ['segments', index, ...issue.path],
      }));
      throw new SttError('INPUT_INVALID', describeIssues(issues));
    }
    segments.push(withoutUndefined(parsed.data));
    await endOfStep();
  }
  return segments;
}

const withoutUndefined = ({
  speaker,
  confidence: sure,
  words,
  ...rest
}: z.output<typeof Segment>): TimedText => ({
  ...rest,
  ...(speaker !== undefined && { speaker }),
  ...(sure !== undefined && { confidence: sure }),
  ...(words !== undefined && { words }),
});
