/**
 * Final endings (종결어미) as meetings use them. A word that ends so ends its sentence where a pause
 * follows. Plain 다 and 지 are not listed: 보다, 있다가 and 까지 end alike.
 */
const STATEMENTS =
  /(?:니다|어요|아요|여요|해요|에요|예요|세요|네요|군요|지요|죠|거든요|데요|게요|래요|대요|고요|구요|했다|한다|었다|았다|겠다|였다|가요|나요|까요|잖아요|와요|봐요|줘요|돼요|워요|려요|져요|켜요|꿔요|춰요|써요|커요|내요)$/u;
/** 그런데요 begins a remark as often as it ends one. */
const NO_END = /^(?:그런데요|근데요|있잖아요|저기요|그리고요|그래서요|왜냐하면요)$/u;
/** 할까요, 될까요; 그러니까요 is assent. */
const SHALL = /(?<!니)까요$/u;
/** 인가요, 한가요, 는가요: behind the coda ㄴ. 가요, 나가요 and 들어가요 are of 가다. */
const IS_IT = /\u11ab\u1100\u1161\u110b\u116d$/u;
/** 했나요, 있나요, 없나요: behind ㅆ or ㅄ. 만나요, 기억나요 and 나요 are of 나다. */
const DID_IT = /[\u11bb\u11b9]\u1102\u1161\u110b\u116d$/u;
const DOES_IT = /(?:하|되|가|오|보|주|쓰|시|르|않|맞|같|먹|받|좋|리|알|많|싶|작|높|갖|돼)나요$/u;
const COMES_UP = /(?:끝|신|화)나요$/u;
/** Formal questions: 니까 behind a syllable with the coda ㅂ (갑니까); 그러니까 is a cause. */
const FORMAL_QUESTION = /\u11b8\u1102\u1175\u1101\u1161$/u;
/** 뭐예요, 어디예요, 누구세요, 어때요: the word asks by itself. */
const ASKING = /^(?:뭐|뭔|무엇이|어디|언제|누구|얼마|왜|어떠|어때|어떻|어느|몇).*(?:요|죠)$/u;

/** How the last word of a phrase ends its sentence, if it does; `word` without punctuation. */
export function koreanSentenceEnd(word: string): 'statement' | 'question' | undefined {
  if (NO_END.test(word)) return undefined;
  if (isQuestion(word)) return 'question';
  return STATEMENTS.test(word) ? 'statement' : undefined;
}

function isQuestion(word: string): boolean {
  const jamo = word.normalize('NFD');
  if (FORMAL_QUESTION.test(jamo) || IS_IT.test(jamo) || DID_IT.test(jamo)) return true;
  if (SHALL.test(word) || (DOES_IT.test(word) && !COMES_UP.test(word))) return true;
  return ASKING.test(word);
}
