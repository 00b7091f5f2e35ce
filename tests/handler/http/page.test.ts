import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fakeJobServices } from '../../fakes/job-services.ts';
import { KeyedService, keyOf } from './keyed-service.ts';
import {
  CHROMIUM,
  expectAccessible,
  livePicture,
  loseSession,
  networkTo,
  openBrowser,
  picture,
  SAMPLE,
  sessionStarted,
  visit,
} from './page-visits.ts';
import { type RunningService, startService } from './service-process.ts';

/** The page in a real Chromium with a file as its microphone, against the whole service. */
const PAGE_TIMEOUT_MS = 90_000;
/** Of two cores that others use too. */
const WAIT = { timeout: 60_000 };

/** Spoken before and while the session is lost. */
const GREETING = ['good', 'morning', 'everyone', 'start', 'weekly', 'meeting', 'project', 'status'];

const describeInBrowser = (define: () => void): void => {
  const options = { timeout: PAGE_TIMEOUT_MS };
  if (CHROMIUM !== undefined) describe('the page', options, define);
  else describe.skip('the page (skipped: no Chromium is installed)', define);
};

const transcriptOf = (page: Page) => page.locator('#transcript').textContent();

describeInBrowser(() => {
  let folder: string;
  let service: RunningService;
  let browser: Browser;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stt-page-test-'));
    await mkdir(join(folder, 'spool'));
    const env = { SPOOL_DIR: join(folder, 'spool'), DATA_DIR: join(folder, 'data') };
    [service, browser] = await Promise.all([startService(env), openBrowser()]);
  }, PAGE_TIMEOUT_MS);

  afterAll(async () => {
    await browser?.close();
    service?.child.kill('SIGTERM');
    await service?.ended;
    await rm(folder, { recursive: true, force: true });
  });

  test('a recording that is chosen becomes words by speaker, which can be taken away', async () => {
    const { page, troubles } = await visit(browser, service.url);
    await page.locator('#service').getByText('embedded').waitFor();
    await expectAccessible(page);
    await page.locator('#file').setInputFiles(SAMPLE);
    await page.locator('#downloads').waitFor(WAIT);
    expect(await transcriptOf(page)).toMatch(/Good[\s\S]*10 o'clock/);
    expect(await page.locator('#legend li').count()).toBe(3);
    expect(await page.locator('#play:focus').count()).toBe(1);
    await page.locator('#play').blur();
    await picture(page, 'page-result');
    await expectAccessible(page);
    await page.locator('[data-language="ko"]').click();
    expect(await page.locator('#legend').textContent()).toContain('화자 3');
    await picture(page, 'page-korean');
    await expectAccessible(page);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('#downloads [data-format="srt"]').click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/\.srt$/);
    await page.locator('.word', { hasText: 'budget' }).click();
    await expect.poll(() => page.locator('#clock').textContent(), WAIT).toMatch(/^0:2\d/);
    await page.locator('.time').last().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('.word[role="button"]:focus').textContent()).toBe('you');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#clock').textContent(), WAIT).toMatch(/^0:4\d/);
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test('what is spoken appears while it is spoken, though the network is cut and the session lost', async () => {
    const network = await networkTo(service.url);
    const { page, troubles } = await visit(browser, network.url, {
      expected: /ERR_(CONNECTION|SOCKET)/,
    });
    const first = sessionStarted(page);
    const state = (text: string) => page.locator('#work-text').getByText(text).waitFor(WAIT);
    await page.locator('#speak').click();
    await expect.poll(() => transcriptOf(page), WAIT).toMatch(/good morning/i);
    const speakers = page.locator('#transcript li[data-speaker] .speaker');
    await speakers.getByText('Speaker 1', { exact: true }).first().waitFor(WAIT);
    await expectAccessible(page);
    network.cut();
    await state('Reconnecting');
    await state('Listening');
    const second = sessionStarted(page);
    network.cut(loseSession(service.url, await first));
    await state('Reconnecting');
    await state('Listening');
    expect(await second).not.toBe(await first);
    await expect.poll(() => transcriptOf(page), WAIT).toMatch(/engine|release|monday|customers/i);
    // Of another session, and hence not known to be the same person.
    await speakers.getByText('Speaker 2', { exact: true }).first().waitFor(WAIT);
    await page.locator('#stop').click();
    await page.locator('#downloads').waitFor(WAIT);
    const text = (await transcriptOf(page)) ?? '';
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('#downloads [data-format="rttm"]').click(),
    ]);
    const rttm = await readFile(await download.path(), 'utf8');
    expect(rttm).toMatch(/ SPEAKER_00 [\s\S]* SPEAKER_01 /);
    // A window that begins in the middle of a sentence may be misheard, but nothing is left out.
    const missing = GREETING.filter((word) => !new RegExp(word, 'i').test(text));
    expect(missing.length, missing.join(' ')).toBeLessThanOrEqual(2);
    expect(troubles).toEqual([]);
    await page.context().close();
    await network.close();
    await livePicture(service.url);
  });

  test('a Korean browser sees a Korean page, and what is no recording is said in words', async () => {
    const options = { locale: 'ko-KR', expected: /415|Unsupported Media Type/ };
    const { page, troubles } = await visit(browser, service.url, options);
    expect(await page.locator('html').getAttribute('lang')).toBe('ko');
    await page.locator('#service').getByText('embedded').waitFor();
    await expectAccessible(page);
    const file = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no sound') };
    await page.locator('#file').setInputFiles(file);
    await page.locator('#problem').waitFor();
    expect(await page.locator('#problem-text').textContent()).toMatch(/\p{Script=Hangul}/u);
    expect(await page.locator('#problem-code').textContent()).toContain('AUDIO_UNSUPPORTED');
    await picture(page, 'page-error');
    await expectAccessible(page);
    await page.locator('#file').setInputFiles({ ...file, buffer: Buffer.alloc(0) });
    await page.locator('#problem-code').getByText('AUDIO_EMPTY').waitFor();
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test('a service with keys is told one by the form, which a wrong one does not close', async () => {
    const keyed = await KeyedService.start({ tenants: { acme: {} }, services: fakeJobServices() });
    const { page, troubles } = await visit(browser, keyed.url, { expected: /401/ });
    await page.locator('#key-hint').getByText('needs an API key').waitFor();
    expect(await page.locator('#problem').isVisible()).toBe(false);
    await expectAccessible(page);
    await page.locator('#key').fill('wrong');
    await page.keyboard.press('Enter');
    await page.locator('#problem-code').getByText('UNAUTHENTICATED').waitFor();
    expect(await page.locator('#key-form').isVisible()).toBe(true);
    await page.locator('#key').fill(keyOf('acme'));
    await page.keyboard.press('Enter');
    await page.locator('#service').getByText('whisper').waitFor();
    expect(await page.locator('#problem').isVisible()).toBe(false);
    expect(troubles).toEqual([]);
    await page.context().close();
    await keyed.stop();
  });
});
