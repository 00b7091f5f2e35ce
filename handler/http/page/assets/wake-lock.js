/** Keeps the screen on: a phone that sleeps hears nothing. What it returns lets it sleep again. */
export function keepAwake() {
  /** @type {WakeLockSentinel | undefined} */
  let lock;
  let isOver = false;
  const acquire = async () => {
    if (isOver || document.visibilityState !== 'visible') return;
    // Not every browser has it, and a low battery may refuse it.
    lock = await navigator.wakeLock?.request('screen').catch(() => undefined);
    if (isOver) await lock?.release();
  };
  document.addEventListener('visibilitychange', acquire);
  void acquire();
  return () => {
    isOver = true;
    document.removeEventListener('visibilitychange', acquire);
    void lock?.release().catch(() => undefined);
  };
}
