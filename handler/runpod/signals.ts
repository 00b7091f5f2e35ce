export interface ShutdownSignals {
  /** The first SIGTERM or SIGINT: finish what is held. */
  readonly shutdown: AbortSignal;
  /** The second: hand errors in and leave. */
  readonly hurry: AbortSignal;
  release(): void;
}

/**
 * Ends the process so long after the signal, whatever it still waits for: a thread inside native code, a
 * database that does not answer. What runs at `exit` runs.
 */
export function leaveAfter(signal: AbortSignal, graceMs: number): void {
  const leave = (): void => {
    process.emit('exit', 1);
    process.kill(process.pid, 'SIGKILL'); // `process.exit` would wait for the thread.
  };
  const begin = (): void => void setTimeout(leave, graceMs).unref();
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
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
