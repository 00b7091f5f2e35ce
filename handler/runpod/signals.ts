export interface ShutdownSignals {
  /** The first SIGTERM or SIGINT: finish what is held. */
  readonly shutdown: AbortSignal;
  /** The second: hand errors in and leave. */
  readonly hurry: AbortSignal;
  release(): void;
}

/** Turns the process's signals into abort signals. */
export function listenForShutdown(): ShutdownSignals {
  const shutdown = new AbortController();
  const hurry = new AbortController();
  const onSignal = (): void => (shutdown.signal.aborted ? hurry : shutdown).abort();
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return {
    shutdown: shutdown.signal,
    hurry: hurry.signal,
    release: () => {
      process.off('SIGTERM', onSignal);
      process.off('SIGINT', onSignal);
    },
  };
}
