/**
 * Final endings (종결어미) as meetings use them. A word that ends so ends its sentence where a pause
 * follows. Plain 다 and 지 are not listed: 보다, 있다가 and 까지 end alike.
 */
const STATEMENTS =
  /(?:니다|어요|아요|여요|해요|에요|예요|세요|네요|군요|지요|죠|거든요|데요|게요|래요|대요|고요|구요|했다|한다|었다|았다|겠다|였다)$/u;
const QUESTIONS = /(?:나요|가요|까요)$/u;
/** Formal questions: 니까 behind a syllable with the coda ㅂ (갑니까); 그러니까 is a cause. */
const FORMAL_QUESTION = /\u11b8\u1102\u1175\u1101\u1161$/u;

/** How the last word of a phrase ends its sentence, if it does; `word` without punctuation. */
export function koreanSentenceEnd(word: string): 'statement' | 'question' | undefined {
  if (QUESTIONS.test(word) || FORMAL_QUESTION.test(word.normalize('NFD'))) return 'question';
  return STATEMENTS.test(word) ? 'statement' : undefined;
}
