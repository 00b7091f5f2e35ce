const setOf = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/));

/** Words that no particle stands behind: answers, hesitations, conjunctions, adverbs, determiners. */
const NOT_NOUNS = setOf(`
  네 예 넵 아니 아니요 아뇨 응 어 음 아 오 에 으 흠 저기 자 글쎄 글쎄요 뭐 막 그 저 이 요 그런 이런 저런
  그래서 그러면 그럼 그런데 근데 그리고 그러니까 그니까 그러나 하지만 그렇지만 그래도 따라서 또 또는 혹은 즉
  왜냐하면 아무튼 하여튼 어쨌든 일단 우선 먼저 다시 더 덜 잘 안 못 꼭 딱 좀 조금 많이 너무 매우 아주 정말 진짜
  참 약간 거의 이미 벌써 아직 계속 자꾸 자주 가끔 항상 늘 빨리 천천히 같이 함께 혹시 만약 만일 아마 결국 물론
  특히 바로 곧 이제 인제 그냥 사실 대충 다 모두 각 매 전 첫 새 헌 몇 여러 모든 어떤 무슨 어느 약 총 한 두 세`);

/** Verb forms, by their last syllables: 했습니다, 가서, 하고, 있는데, 그렇게. */
const VERB_END =
  /(?:[다요죠까네]|하고|해서|아서|어서|여서|는데|은데|인데|지만|니까|으면|하면|되면|면서|려고|도록|게|거든)$/u;
const NOUNS_LIKE_VERBS = /(?:바다|판다|수요|필요|중요|주요|개요|동네|가게|무게|담배|어제)$/u;

/** Whether a word may be a noun, as far as can be told without a dictionary; in doubt it is none. */
export const mayBeNoun = (word: string): boolean =>
  !NOT_NOUNS.has(word) && (!VERB_END.test(word) || NOUNS_LIKE_VERBS.test(word));
