/** @typedef {import('./texts.js').PageLanguage} PageLanguage */

/** Codes that mean the same to whoever uses the page. @type {Record<string, string>} */
const SAME = {
  AUDIO_NOT_FOUND: 'TRY_AGAIN',
  AUDIO_FETCH_FAILED: 'TRY_AGAIN',
  AUDIO_FETCH_TIMEOUT: 'TRY_AGAIN',
  HANDOVER_FAILED: 'TRY_AGAIN',
  ENGINE_CRASHED: 'TRY_AGAIN',
  GPU_OUT_OF_MEMORY: 'TRY_AGAIN',
  STORE_UNAVAILABLE: 'TRY_AGAIN',
  WORKER_LOST: 'TRY_AGAIN',
  DECODE_TIMEOUT: 'JOB_TIMEOUT',
  QUEUE_TIMEOUT: 'SERVICE_BUSY',
  ENDPOINT_UNAVAILABLE: 'SERVICE_BUSY',
  MODEL_DOWNLOAD_FAILED: 'NOT_SET_UP',
  MODEL_LOAD_FAILED: 'NOT_SET_UP',
  MODEL_NOT_FOUND: 'NOT_SET_UP',
  MODEL_ACCESS_DENIED: 'NOT_SET_UP',
  MODEL_CACHE_READ_ONLY: 'NOT_SET_UP',
  MODEL_INVALID: 'NOT_SET_UP',
  DEVICE_UNAVAILABLE: 'NOT_SET_UP',
  FFMPEG_MISSING: 'NOT_SET_UP',
  ENDPOINT_REFUSED: 'NOT_SET_UP',
  REQUEST_TOO_LARGE: 'AUDIO_TOO_LARGE',
  REQUEST_TIMEOUT: 'NETWORK',
  NOT_FOUND: 'SESSION_LOST',
  INTERNAL: 'OTHER',
};

/** What to say of a failure, whatever its code. @param {PageLanguage} language @param {string} code */
export const errorText = (language, code) =>
  ERROR_TEXTS[language][SAME[code] ?? code] ?? ERROR_TEXTS[language]['OTHER'] ?? code;

/** What went wrong and what helps, by code. @type {Record<PageLanguage, Record<string, string>>} */
const ERROR_TEXTS = {
  en: {
    NETWORK: 'The service cannot be reached. Check the connection and try again.',
    UNAUTHENTICATED: 'An API key is needed, or this one is not known. Enter it at the top.',
    TENANT_FORBIDDEN: 'This key may not be used for that.',
    RATE_LIMITED: 'Too many requests in a short time. Wait a minute and try again.',
    CONCURRENCY_LIMITED: 'Too many jobs at once. Wait until one has finished.',
    QUEUE_LIMITED: 'Too many recordings are waiting already. Wait until one has finished.',
    QUOTA_EXCEEDED: 'The quota of audio for today is used up.',
    BUDGET_EXCEEDED: 'The service has used up what it may spend today. Try again tomorrow.',
    ORIGIN_FORBIDDEN: 'The service does not answer under this address. Open it by its own.',
    OUTCOME_UNKNOWN:
      'Whether it was finished is not known, since the connection behind the service was cut. Try again.',
    RESULT_TOO_LARGE: 'The transcript is too large for this service. Try a shorter recording.',
    DISK_FULL: 'The service has no room left for recordings. Tell its operator the code.',
    JOB_CANCELLED: 'The service stopped this job. Try again.',
    AUDIO_EMPTY: 'The file is empty.',
    AUDIO_TOO_LARGE: 'The file is too large for this service.',
    AUDIO_TOO_LONG: 'The recording is too long for this service.',
    AUDIO_UNSUPPORTED:
      'This is not a recording that can be read. Choose a WAV, MP3, M4A, FLAC, OGG, WebM or MP4 file.',
    AUDIO_UNDECODABLE: 'The recording is damaged and cannot be read.',
    AUDIO_WITHOUT_SOUND: 'The file has no sound in it.',
    LANGUAGE_UNSUPPORTED: 'The model of this service does not know that language.',
    LANGUAGE_DOUBTFUL:
      'Another language may be spoken: the text is doubtful. Choose the spoken language and try again.',
    MODEL_LOADING: 'The models are still loading. Try again in a moment.',
    SERVICE_BUSY: 'The service is busy. Try again in a moment.',
    SHUTTING_DOWN: 'The service is restarting. Try again in a moment.',
    JOB_TIMEOUT: 'It took too long and was given up.',
    TRY_AGAIN: 'The service could not finish this time. Try again.',
    NOT_SET_UP: 'The service is not ready for work. Tell its operator the code.',
    INPUT_INVALID: 'The service did not accept the request.',
    MIC_DENIED: 'The microphone may not be used. Allow it in the settings of the browser.',
    MIC_MISSING: 'No microphone was found.',
    MIC_INSECURE: 'Browsers allow the microphone on https or localhost only.',
    MIC_LOST: 'The microphone was taken away. What was recognised is below.',
    SESSION_ENDED:
      'The service ended the session: it was as long as it may be, or no sound came. What was recognised is below.',
    SESSION_LOST: 'The live session was lost. What was recognised is below.',
    OTHER:
      'Something went wrong in the service. Try again; if it stays, tell its operator the code.',
  },
  ko: {
    NETWORK: '서비스에 연결할 수 없습니다. 연결을 확인하고 다시 시도하세요.',
    UNAUTHENTICATED: 'API 키가 필요하거나 알 수 없는 키입니다. 위쪽에 키를 입력하세요.',
    TENANT_FORBIDDEN: '이 키로는 할 수 없는 요청입니다.',
    RATE_LIMITED: '짧은 시간에 요청이 너무 많았습니다. 1분 뒤에 다시 시도하세요.',
    CONCURRENCY_LIMITED: '동시에 진행 중인 작업이 너무 많습니다. 하나가 끝날 때까지 기다리세요.',
    QUEUE_LIMITED: '기다리는 녹음이 이미 너무 많습니다. 하나가 끝날 때까지 기다리세요.',
    QUOTA_EXCEEDED: '오늘 사용할 수 있는 오디오 분량을 모두 썼습니다.',
    BUDGET_EXCEEDED: '서비스가 오늘 쓸 수 있는 예산을 모두 썼습니다. 내일 다시 시도하세요.',
    ORIGIN_FORBIDDEN: '이 주소로는 서비스를 사용할 수 없습니다. 서비스의 원래 주소로 여세요.',
    OUTCOME_UNKNOWN: '서비스 뒤쪽의 연결이 끊겨 작업이 끝났는지 알 수 없습니다. 다시 시도하세요.',
    RESULT_TOO_LARGE: '받아쓴 글이 너무 큽니다. 더 짧은 녹음으로 시도하세요.',
    DISK_FULL: '서비스에 녹음을 저장할 공간이 없습니다. 운영자에게 코드를 알려 주세요.',
    JOB_CANCELLED: '서비스가 작업을 중단했습니다. 다시 시도하세요.',
    AUDIO_EMPTY: '빈 파일입니다.',
    AUDIO_TOO_LARGE: '파일이 너무 큽니다.',
    AUDIO_TOO_LONG: '녹음이 너무 깁니다.',
    AUDIO_UNSUPPORTED:
      '읽을 수 있는 녹음 파일이 아닙니다. WAV, MP3, M4A, FLAC, OGG, WebM, MP4 파일을 선택하세요.',
    AUDIO_UNDECODABLE: '녹음이 손상되어 읽을 수 없습니다.',
    AUDIO_WITHOUT_SOUND: '파일에 소리가 없습니다.',
    LANGUAGE_UNSUPPORTED: '이 서비스의 모델은 그 언어를 지원하지 않습니다.',
    LANGUAGE_DOUBTFUL:
      '다른 언어의 음성일 수 있어 결과가 불확실합니다. 음성 언어를 고르고 다시 시도해 주세요.',
    MODEL_LOADING: '모델을 불러오는 중입니다. 잠시 뒤에 다시 시도하세요.',
    SERVICE_BUSY: '서비스가 바쁩니다. 잠시 뒤에 다시 시도하세요.',
    SHUTTING_DOWN: '서비스가 다시 시작되고 있습니다. 잠시 뒤에 다시 시도하세요.',
    JOB_TIMEOUT: '시간이 너무 오래 걸려 중단했습니다.',
    TRY_AGAIN: '이번에는 작업을 마치지 못했습니다. 다시 시도하세요.',
    NOT_SET_UP: '서비스가 아직 준비되지 않았습니다. 운영자에게 코드를 알려 주세요.',
    INPUT_INVALID: '서비스가 요청을 받아들이지 않았습니다.',
    MIC_DENIED: '마이크를 사용할 수 없습니다. 브라우저 설정에서 허용하세요.',
    MIC_MISSING: '마이크를 찾을 수 없습니다.',
    MIC_INSECURE: '브라우저는 https 또는 localhost에서만 마이크를 허용합니다.',
    MIC_LOST: '마이크 연결이 끊겼습니다. 인식된 내용은 아래에 있습니다.',
    SESSION_ENDED:
      '서비스가 세션을 끝냈습니다. 허용된 시간이 다 되었거나 소리가 들어오지 않았습니다. 인식된 내용은 아래에 있습니다.',
    SESSION_LOST: '실시간 세션이 끊겼습니다. 인식된 내용은 아래에 있습니다.',
    OTHER: '서비스에 문제가 생겼습니다. 다시 시도하고, 계속되면 운영자에게 코드를 알려 주세요.',
  },
};
