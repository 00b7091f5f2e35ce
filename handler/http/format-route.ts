import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';
import { formatSegments, type TextFormat } from '../formats/format-segments.ts';
import { describeIssues } from '../input-issues.ts';
import { SubtitleInput, toDocumentOptions } from '../subtitle-options.ts';

const MAX_SEGMENTS = 100_000;
const MAX_NAME_CHARS = 256;

const seconds = z.number().min(0);
const confidence = z.number().min(0).max(1);
const name = z.string().max(MAX_NAME_CHARS);

const Word = z.object({ word: z.string(), start: seconds, end: seconds, confidence });
const Segment = z.object({
  start: seconds,
  end: seconds,
  text: z.string(),
  speaker: name.optional(),
  confidence: confidence.optional(),
  words: z.array(Word).optional(),
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
  app.post('/stt/format', async ({ body }, reply) => {
    const parsed = FormatRequestSchema.safeParse(body);
    if (!parsed.success) {
      throw new SttError('INPUT_INVALID', describeIssues(parsed.error.issues));
    }
    const { segments, output_format, subtitle, recording } = parsed.data;
    const options = toDocumentOptions(subtitle ?? null, recording ?? null);
    const document = formatSegments(segments.map(withoutUndefined), output_format, options);
    return reply.type(FORMAT_CONTENT_TYPES[output_format]).send(document);
  });
}

const withoutUndefined = ({
  speaker,
  confidence: sure,
  words,
  ...rest
}: z.output<typeof Segment>) => ({
  ...rest,
  ...(speaker !== undefined && { speaker }),
  ...(sure !== undefined && { confidence: sure }),
  ...(words !== undefined && { words }),
});
