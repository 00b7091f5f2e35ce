import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    execArgv: ['--import', './scripts/typescript.mjs'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
