import type { Logger } from '../../core/logger.ts';
import type { DownloadHooks } from './options.ts';
import { everyFewSeconds } from './progress-lines.ts';

const EVERY_MS = 5000;

/** Tells the log what becomes of a download: names of models and of their files, never an address. */
export const downloadLog = (logger: Logger): DownloadHooks => ({
  onProgress: everyFewSeconds(EVERY_MS, (progress) => logger.info(progress, 'model downloading')),
  onRetry: ({ file, failures, waitMs, reason }) =>
    logger.warn({ file, failures, waitMs: Math.round(waitMs), reason }, 'model download retried'),
  onWait: (file) => logger.info({ file }, 'model awaited from another process'),
  onQuantize: everyFewSeconds(EVERY_MS, ({ doneBytes, totalBytes }) =>
    logger.info({ doneBytes, totalBytes }, 'model being quantized'),
  ),
  onTemporary: () => logger.warn('quantized model kept in the temporary folder'),
  onUnreachable: (reason, forMs) => logger.warn({ reason, forMs }, 'hub not reached'),
  onPinMissed: (miss) => logger.warn(miss, 'model is not the pinned one'),
});
