/**
 * `node --import ./scripts/typescript.mjs FILE.ts` runs TypeScript in the main thread and in every
 * worker thread (which inherits the flag) on Node 20; newer lines strip types by themselves.
 * tsx's own preload leaves worker threads out.
 */
if (!process.features.typescript) {
  const { register } = await import('tsx/esm/api');
  register();
}
