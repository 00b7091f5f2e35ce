import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What is short comes last, so that neither of two processes is left with a long file. */
class UnitsLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isUnit = ({ moduleId }: TestSpecification): number =>
      Number(moduleId.includes('/tests/unit/'));
    return (await super.sort(files)).toSorted((a, b) => isUnit(a) - isUnit(b));
  }
}

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // Nothing of ours is replaced by a mock or keeps state between files: starting a process for
    // each and importing everything again took a third of the time.
    isolate: false,
    sequence: { sequencer: UnitsLast },
    execArgv: ['--import', './scripts/typescript.mjs'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
