import { z } from 'zod';
import { readInput } from '../../read-input.ts';
import { Base64Audio } from '../client-messages.ts';

const eventId = z.string().max(512).optional();

const MessageSchema = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('session.update'), event_id: eventId, session: z.unknown() }),
    z.object({
      type: z.literal('transcription_session.update'),
      event_id: eventId,
      session: z.unknown(),
    }),
    z.object({
      type: z.literal('input_audio_buffer.append'),
      event_id: eventId,
      audio: Base64Audio,
    }),
    z.object({ type: z.literal('input_audio_buffer.commit'), event_id: eventId }),
    z.object({ type: z.literal('input_audio_buffer.clear'), event_id: eventId }),
  ],
  { error: 'not an event of a transcription session' },
);

export type OpenAiMessage = z.output<typeof MessageSchema>;

/** @throws {SttError} INPUT_INVALID. */
export const parseOpenAiMessage = (raw: unknown): OpenAiMessage => readInput(MessageSchema, raw);

/** The client's name of an event, for the error about it. */
export function eventIdOf(raw: unknown): string | null {
  const parsed = z.object({ event_id: eventId }).safeParse(raw);
  return parsed.data?.event_id ?? null;
}
