/** Hesitations of a language. */
export interface Fillers {
  /** Never anything else. */
  readonly always: ReadonlySet<string>;
  /** Words and phrases that hesitate only when they stand apart, by a comma or a pause. */
  readonly apart: ReadonlySet<string>;
  /** Of `always`, those that answer before words of assent: "어, 맞아요". */
  readonly answers: ReadonlySet<string>;
  readonly assent: RegExp;
}

const setOf = (words: string): ReadonlySet<string> => new Set(words.split('|'));
const NEVER = /^(?!)/;

export const FILLERS: Readonly<Record<string, Fillers>> = {
  ko: {
    always: setOf('어|음|으음|어어|으|흠'),
    apart: setOf('에|아|그|저|저기|뭐|막|이제|인제|그니까|약간|이'),
    answers: setOf('어|음|어어|흠'),
    assent:
      /^(?:맞|네|예|응|그래[.,!?]?$|그래요|그렇|그럼|좋|알|아니|됐|돼|안|괜찮|고마|감사|물론|당연|진짜)/u,
  },
  en: {
    always: setOf('um|uh|er|erm|uhm|umm|uhh|hmm|mm'),
    apart: setOf('well|like|you know|i mean|sort of|kind of'),
    answers: setOf('mm|hmm|uh'),
    assent: /^(?:yes|yeah|yep|right|okay|ok|sure|no|huh)\b/i,
  },
  ja: {
    always: setOf('えー|えーと|ええと|えっと|あのー|うーん'),
    apart: setOf('あの|その|まあ'),
    answers: new Set(),
    assent: NEVER,
  },
  zh: {
    always: setOf('呃|额|額'),
    apart: setOf('嗯|那个|那個|就是'),
    answers: new Set(),
    assent: NEVER,
  },
};
