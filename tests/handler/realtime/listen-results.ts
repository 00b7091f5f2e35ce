interface Alternative {
  readonly transcript: string;
  readonly words: readonly { word: string; punctuated_word: string; start: number }[];
}

interface ResultsMessage {
  readonly is_final: boolean;
  readonly speech_final: boolean;
  readonly from_finalize: boolean;
  readonly channel: { readonly alternatives: readonly Alternative[] };
}

/** A message of Deepgram's `Results`, with its only alternative beside the rest. */
export function resultOf(message: unknown): ResultsMessage & Alternative {
  const results = Object(message) as ResultsMessage;
  return { ...results, ...results.channel.alternatives[0]! };
}
