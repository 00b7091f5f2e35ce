import { register } from 'node:module';

/**
 * `node --import ./scripts/typescript.mjs FILE.ts` runs TypeScript in the main thread and in every
 * worker thread (which inherits the flag) on Node 20; newer lines strip types by themselves.
 */
if (!process.features.typescript) {
  process.setSourceMapsEnabled(true);
  register('./strip-types.mjs', import.meta.url);
}
