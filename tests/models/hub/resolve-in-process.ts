import { whisperFiles } from '../../../models/hub/needs.ts';
import type { HubOptions } from '../../../models/hub/options.ts';
import { resolveModel } from '../../../models/hub/resolve-model.ts';

/** One worker process of several; writes what it found as JSON. */
const [reference, options] = process.argv.slice(2);
const model = await resolveModel(
  reference!,
  whisperFiles,
  JSON.parse(options!) as HubOptions,
  new AbortController().signal,
);
process.stdout.write(JSON.stringify(model));
