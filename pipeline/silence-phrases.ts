/**
 * What Whisper writes when it hears nothing: closing words of the videos it was trained on.
 * Compared without case, spaces and punctuation; only phrases that are rare in meetings.
 */
export const SILENCE_PHRASES: readonly string[] = [
  // Korean
  '시청해주셔서 감사합니다',
  '시청해주셔서 고맙습니다',
  '끝까지 시청해주셔서 감사합니다',
  '오늘도 시청해주셔서 감사합니다',
  '영상 시청해주셔서 감사합니다',
  '지금까지 시청해주셔서 감사합니다',
  '구독과 좋아요',
  '구독과 좋아요 부탁드립니다',
  '구독과 좋아요 부탁드려요',
  '구독 좋아요 부탁드립니다',
  '구독과 좋아요 알림 설정 부탁드립니다',
  '구독과 좋아요 알림 설정까지 부탁드립니다',
  '좋아요와 구독 부탁드립니다',
  '다음 영상에서 만나요',
  '다음 영상에서 뵙겠습니다',
  '이 영상은 유료 광고를 포함하고 있습니다',
  // English
  'Thank you for watching',
  'Thanks for watching',
  'Thank you so much for watching',
  'Thank you very much for watching',
  'Please subscribe to my channel',
  "Don't forget to like and subscribe",
  'Subtitles by the Amara.org community',
  // Japanese
  'ご視聴ありがとうございました',
  'ご視聴ありがとうございます',
  'ご視聴いただきありがとうございます',
  '最後までご視聴いただきありがとうございました',
  'チャンネル登録お願いします',
  'チャンネル登録よろしくお願いします',
  // Chinese
  '谢谢观看',
  '感谢观看',
  '謝謝觀看',
  '感謝觀看',
  '字幕由Amara.org社区提供',
  '字幕由Amara.org社群提供',
  '请不吝点赞 订阅 转发 打赏支持明镜与点点栏目',
  '請不吝點贊 訂閱 轉發 打賞支持明鏡與點點欄目',
];

/** Sources of regular expressions for phrases that hold a name, on text without spaces and punctuation. */
export const SILENCE_PHRASE_PATTERNS: readonly string[] = [
  '(?:mbc|kbs|sbs|jtbc|ytn)뉴스(?:\\p{L}{2,5}입니다)?',
  '(?:한글)?자막by\\p{L}{2,4}',
  '(?:中文)?字幕(?:by|志愿者|志願者)\\p{L}{2,4}',
];
