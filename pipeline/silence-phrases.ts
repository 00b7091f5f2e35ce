/**
 * What Whisper writes when it hears nothing: closing words and credits of the videos that it was
 * trained on, in letters and digits only, as `isSilencePhrase` compares them. Only phrases that are
 * rare in meetings. Each is the source of a regular expression that finds its longest form.
 */
const KOREAN = [
  '(?:(?:오늘도|지금까지|끝까지|여기까지|영상|오늘영상|긴영상|저희영상)+)?시청(?:해주셔서|해주신여러분)?(?:정말|대단히|너무)?(?:감사|고맙)(?:합니다|습니다|드립니다|해요)',
  '(?:그럼|그러면|자|저는|저희는|우리|우리는)*(?:다음(?:시간|주|주이시간|이시간|영상|편|번영상|회|회차|방송|강의)|내일이시간|이시간)(?:에서|에는|에)?(?:또|다시)?(?:만나요|만나|만납시다|만나도록하겠습니다|만나겠습니다|뵙겠습니다|뵐게요|뵈요|봬요|봐요|찾아뵙겠습니다|찾아오겠습니다|돌아오겠습니다)',
  '이?영상은유료광고를?포함하고있습니다',
  '(?:한글|한국어)?자막제공및광고를?포함하고있습니다',
];

const ENGLISH = [
  'thank(?:s|you)(?:(?:so|very)much|alot)?(?:everyone|guys|all)?forwatching(?:this|the|my|our)?(?:video)?(?:guys|everyone)?',
  '(?:ill)?see(?:you|ya)(?:guys)?inthenext(?:video|one|episode)',
  '(?:please|dontforgetto|makesureto)(?:likeand|like)?subscribe(?:tomychannel|tothechannel|tothischannel)?',
  'likeandsubscribe',
  'subtitlesbytheamaraorgcommunity',
  'transcri(?:bedby|ptionby)(?:httpsotterai|otterai|castingwords|esoinc)',
];

const JAPANESE = [
  '(?:最後まで|本日も|今日も)*(?:ご|字幕)視聴(?:いただき|頂き|くださり)?(?:まして)?(?:誠に|本当に)?ありがとうござい(?:ました|ます)',
  '(?:高評価と|ぜひ|よかったら)*チャンネル登録(?:と高評価|高評価)?(?:を|も|の)?(?:ぜひ)?(?:よろしく|宜しく)?(?:お願い(?:いた)?します|お願い申し上げます)?',
  '(?:それでは)?また?次(?:回)?の?動画でお会いしましょう',
];

const CHINESE = [
  '(?:谢谢|謝謝|感谢|感謝|多谢|多謝)(?:大家|您|你们|你們|各位)?的?(?:观看|觀看|收看|收听|收聽)(?:本期视频|本期影片|本视频|本影片)?',
  '(?:我们|我們|咱们)?下(?:期|集|个视频|個影片)(?:视频|影片|节目|節目)?(?:再见|再見)',
  '(?:请|請)不吝(?:点赞|點贊|點讚)(?:订阅|訂閱)(?:转发|轉發)打(?:赏|賞)支持(?:明镜|明鏡)(?:与|與)(?:点点|點點)(?:栏目|欄目)',
  '(?:优优|優優)(?:独播剧场|獨播劇場)yoyotelevisionseriesexclusive',
];

const EUROPEAN = [
  // Russian
  'спасибозапросмотр',
  'продолжениеследует',
  '(?:ставьтелайки)?и?подписывайтесьна(?:мой|наш|этот|канал)+',
  // German
  '(?:vielendank|danke)fürs?(?:das)?zuschauen',
  '(?:copyright)?(?:wdr|swr|ndr|mdr|zdf|ard|orf)(?:fürfunk)?20\\d\\d',
  'untertitel(?:ung)?(?:imauftrag)?(?:des|der|vom|von)?(?:zdf|ard|wdr|swr|ndr|mdr|orf)(?:fürfunk)?(?:20\\d\\d)?',
  // French
  'mercid(?:e|avoir)regardée?r?(?:cettevidéo|lavidéo|mavidéo)?',
  'soustitrage(?:sociétéradiocanada|st501|fr20\\d\\d|mfp)',
  '(?:noubliezpasde)?(?:vous)?abonne[zr](?:vous)?(?:àlachaîne|àmachaîne)',
  // Spanish
  'graciasporver(?:elvideo|elvídeo|estevideo|estevídeo|mivideo)?',
  'suscr[ií]b(?:ete|anse)(?:alcanal|amicanal)?',
  // Portuguese
  'obrigad[oa]por(?:assistir|ver)(?:aovídeo|ovídeo|atéofinal)?',
  'inscrevas?e?(?:se)?nocanal',
  // Polish
  'dzięk(?:uję|ujemy|i)za(?:oglądanie|obejrzenie)(?:filmu)?',
  // Turkish
  'izlediğinizi?çinteşekkür(?:ederim|ederiz|ler)',
  '(?:kanalıma|kanala)?aboneolmayıunutmayın',
  'altyazımk',
  // Italian, Dutch
  'grazieperlavisione',
  'bedanktvoorhetkijken',
];

export const SILENCE_PHRASES: readonly string[] = [
  ...[...KOREAN, ...ENGLISH, ...JAPANESE, ...CHINESE, ...EUROPEAN],
];

/** A credit: what it begins with, and letters and digits of the names behind that. */
export interface SilenceCredit {
  readonly head: string;
  readonly name: readonly [fewest: number, most: number];
}

const LONG_NAME = [2, 40] as const;

export const SILENCE_CREDITS: readonly SilenceCredit[] = [
  { head: '(?:지금까지)?(?:mbc|kbs|sbs|jtbc|ytn)뉴스', name: [0, 8] },
  { head: '(?:한글|한국어)?자막by', name: [2, 12] },
  { head: '(?:한글|한국어)?자막(?:제공|제작|번역|편집|협찬)(?:by|자)?', name: [0, 12] },
  { head: '(?:字幕|翻訳)(?:by|制作|作成|提供|協力)', name: [1, 20] },
  {
    head: '(?:中文|简体|繁體|粤语|粵語)?字幕(?:by|志愿者|志願者|组|組|制作人?|製作人?|提供)',
    name: [2, 12],
  },
  { head: '(?:中文)?字幕由', name: [4, 20] },
  { head: '(?:作?词作?曲|作?詞作?曲)(?:李宗盛)', name: [0, 0] },
  {
    head: 'субтитры(?:и\\p{L}{4,12})?(?:с?делал|созда(?:ва)?л|подготовил|подогнал|добавил|предоставил|выполнил)[аи]?',
    name: LONG_NAME,
  },
  { head: 'редакторсубтитров', name: LONG_NAME },
  { head: 'untertitel(?:ung)?(?:erstellt)?(?:von|by|durch)', name: LONG_NAME },
  { head: 'soustitr(?:es|age)(?:réalisée?s?|faits?|créés?|traduits?)?para?', name: LONG_NAME },
  {
    head: 'subt[ií]tul(?:os|ado)s?(?:realizad|hech|cread|traducid)?(?:os?|as?)?por',
    name: LONG_NAME,
  },
  { head: 'legendas?(?:feitas?|criadas?|realizadas?)?(?:por|pela|pelo)', name: LONG_NAME },
  {
    head: 'napisy(?:stworzone|wykonane|zrobione|robione|opracowane|przygotowane)?(?:przez|by)',
    name: LONG_NAME,
  },
  { head: 'altyazı(?:lar)?(?:çeviri|çeviren|hazırlayan|by)', name: LONG_NAME },
  { head: 'sottotitoli(?:erevisione)?(?:creati|realizzati)?(?:dalla|da|acuradi)', name: LONG_NAME },
  { head: 'ondertitel(?:s|ing|d)(?:ingediend|gemaakt)?door', name: LONG_NAME },
  { head: '(?:sub)?titlesby|captionsby|captionedby', name: LONG_NAME },
  // The community of translators, in every language.
  { head: '[\\p{L}\\p{N}]{5,50}amaraorg', name: [0, 20] },
];

/** Sources for words that are such a phrase only together, with one of `ASKED_FOR` among them. */
export const SILENCE_PARTS: readonly string[] = [
  '구독',
  '좋아요',
  '알림',
  '설정',
  '댓글',
  '공유',
  '버튼',
  '(?:과|와|랑|하고|도|을|를|은|는|까지|꾹|꼭|많이|한번씩|잊지말고)',
  '부탁(?:드립니다|드려요|드리겠습니다|드릴게요|합니다|해요)',
  '(?:눌러|해)주(?:세요|시면감사하겠습니다|시고|십시오)',
  '잊지(?:마세요|말아주세요|마시고)',
];
export const ASKED_FOR = /구독|알림설정/u;
