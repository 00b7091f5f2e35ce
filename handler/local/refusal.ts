/** Nothing was run: 1 when the job to run is missing or empty, 2 when the command line is wrong. */
export type RefusalExitCode = 1 | 2;

/** Why the command line cannot be followed; its message is for the person who typed it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly exitCode: RefusalExitCode;

  constructor(exitCode: RefusalExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
