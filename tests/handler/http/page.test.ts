import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROJECT_ROOT } from '../../fakes/program.ts';
import { type RunningService, startService } from './service-process.ts';

/**
 * The page in a real Chromium with a file as its microphone, against the whole service. With
 * `PAGE_SCREENSHOTS=1` the pictures of docs/images are taken anew.
 */
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);
const SAMPLE = join(PROJECT_ROOT, 'samples/meeting-en.wav');
const IMAGES = join(PROJECT_ROOT, 'docs/images');
const PAGE_TIMEOUT_MS = 30_000;

const describeInBrowser = (define: () => void): void => {
  if (CHROMIUM !== undefined) describe('the page', define);
  else describe.skip('the page (skipped: no Chromium is installed)', define);
};

describeInBrowser(() => {
  let folder: string;
  let service: RunningService;
  let browser: Browser;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stt-page-test-'));
    await mkdir(join(folder, 'spool'));
    const env = { SPOOL_DIR: join(folder, 'spool'), DATA_DIR: join(folder, 'data') };
    [service, browser] = await Promise.all([
      startService(env),
      chromium.launch({
        executablePath: CHROMIUM!,
        args: [
          '--no-sandbox',
          '--use-fake-device-for-media-stream',
          '--use-fake-ui-for-media-stream',
          `--use-file-for-fake-audio-capture=${SAMPLE}%noloop`,
        ],
      }),
    ]);
  }, PAGE_TIMEOUT_MS);

  afterAll(async () => {
    await browser?.close();
    service?.child.kill('SIGTERM');
    await service?.ended;
    await rm(folder, { recursive: true, force: true });
  });

  interface Visit {
    readonly page: Page;
    /** What must stay empty: errors, broken policies, requests to other hosts. */
    readonly troubles: string[];
  }

  async function visit(locale: string, expected?: RegExp): Promise<Visit> {
    const context = await browser.newContext({ locale, viewport: { width: 1100, height: 900 } });
    await context.grantPermissions(['microphone'], { origin: service.url });
    const page = await context.newPage();
    const troubles: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' && !expected?.test(message.text())) {
        troubles.push(message.text());
      }
    });
    page.on('pageerror', (error) => troubles.push(String(error)));
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      const isOwn = origin === service.url || ['blob:', 'data:', 'ws:'].includes(protocol);
      if (!isOwn) troubles.push(`a request to ${origin}`);
    });
    await page.goto(service.url);
    return { page, troubles };
  }

  async function picture(page: Page, name: string): Promise<void> {
    if (process.env['PAGE_SCREENSHOTS'] === undefined) return;
    await mkdir(IMAGES, { recursive: true });
    await page.screenshot({ path: join(IMAGES, `${name}.png`), fullPage: true });
  }

  test(
    'a recording that is chosen becomes words by speaker, which can be taken away',
    async () => {
      const { page, troubles } = await visit('en-GB');
      await page.locator('#file').setInputFiles(SAMPLE);
      await page.locator('#downloads').waitFor({ timeout: PAGE_TIMEOUT_MS });
      expect(await page.locator('#transcript').textContent()).toMatch(/Good[\s\S]*10 o'clock/);
      expect(await page.locator('#legend li').count()).toBe(3);
      await picture(page, 'page-result');
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.locator('#downloads [data-format="srt"]').click(),
      ]);
      expect(download.suggestedFilename()).toMatch(/\.srt$/);
      expect(troubles).toEqual([]);
      await page.context().close();
    },
    PAGE_TIMEOUT_MS,
  );

  test(
    'what is spoken appears while it is spoken',
    async () => {
      const { page, troubles } = await visit('en-GB');
      await page.locator('#speak').click();
      await expect
        .poll(() => page.locator('#transcript').textContent(), { timeout: 15_000 })
        .toMatch(/good morning everyone/i);
      await picture(page, 'page-live');
      await page.locator('#stop').click();
      await page.locator('#downloads').waitFor();
      expect(troubles).toEqual([]);
      await page.context().close();
    },
    PAGE_TIMEOUT_MS,
  );

  test(
    'a Korean browser sees a Korean page, and what is no recording is said in words',
    async () => {
      const { page, troubles } = await visit('ko-KR', /415|Unsupported Media Type/);
      expect(await page.locator('html').getAttribute('lang')).toBe('ko');
      await picture(page, 'page-korean');
      const file = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no sound') };
      await page.locator('#file').setInputFiles(file);
      await page.locator('#problem').waitFor();
      expect(await page.locator('#problem-text').textContent()).toMatch(/\p{Script=Hangul}/u);
      expect(await page.locator('#problem-code').textContent()).toContain('AUDIO_UNSUPPORTED');
      await picture(page, 'page-error');
      expect(troubles).toEqual([]);
      await page.context().close();
    },
    PAGE_TIMEOUT_MS,
  );
});
