import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // Nothing of ours is replaced by a mock or keeps state between files: starting a process for
    // each and importing everything again took a third of the time.
    isolate: false,
    execArgv: ['--import', './scripts/typescript.mjs'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
