import { z } from 'zod';
import { languageBeforeListening } from '../../pipeline/languages.ts';
import { candidatesField, givenLanguage, languageField } from '../languages.ts';
import { formValueReader } from './form-values.ts';
import type { ServiceContext } from './service-context.ts';

const LanguageFields = z.object({
  task: z.enum(['transcribe', 'translate']).catch('transcribe'),
  language: languageField,
  languages: candidatesField,
});
const readForm = formValueReader(LanguageFields);

type Slot = Pick<ServiceContext, 'slot'>;

/**
 * Refuses a job in a language that the loaded model does not know. While none is loaded, or behind a
 * gateway, whoever runs the job does so. Fields that are not valid are the schema's affair.
 * @throws {SttError} LANGUAGE_UNSUPPORTED
 */
export function assertLanguageKnown(rawInput: unknown, { slot: { engine } }: Slot): void {
  const asked = LanguageFields.safeParse(rawInput).data;
  if (engine === undefined || engine.languages.length === 0 || asked === undefined) return;
  languageBeforeListening(
    {
      task: asked.task,
      language: givenLanguage(asked)?.code ?? null,
      languages: asked.languages.map(({ code }) => code),
    },
    { modelName: engine.model, languages: engine.languages },
  );
}

/** The same of a form, as far as it has come. @throws {SttError} LANGUAGE_UNSUPPORTED */
export function assertFormLanguageKnown(
  fields: ReadonlyMap<string, readonly unknown[]>,
  context: Slot,
): void {
  const known = [...fields].filter(([field]) => field in LanguageFields.shape);
  assertLanguageKnown(readForm(new Map(known)), context);
}
