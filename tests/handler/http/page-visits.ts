import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { z } from 'zod';
import { PROJECT_ROOT } from '../../fakes/program.ts';
import { LiveClient } from '../realtime/live-client.ts';
import { freePort } from './service-process.ts';

export const SAMPLE = join(PROJECT_ROOT, 'samples/meeting-en.wav');
export const CHROMIUM = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find(existsSync);
const IMAGES = join(PROJECT_ROOT, 'docs/images');

/** A real browser with the sample as what its microphone hears, once. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    ...(CHROMIUM !== undefined && { executablePath: CHROMIUM }),
    args: [
      '--no-sandbox',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${SAMPLE}%noloop`,
    ],
  });

export interface Visit {
  readonly page: Page;
  /** What must stay empty: errors, broken policies, requests to other hosts. */
  readonly troubles: string[];
}

/** Opens the page; `expected` are the errors of the console that the visit is about. */
export async function visit(
  browser: Browser,
  url: string,
  { locale = 'en-GB', expected }: { locale?: string; expected?: RegExp } = {},
): Promise<Visit> {
  const context = await browser.newContext({ locale, viewport: { width: 900, height: 680 } });
  await context.grantPermissions(['microphone'], { origin: url });
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on('console', (message) => {
    const isTrouble = message.type() === 'error' && !expected?.test(message.text());
    if (isTrouble) troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(String(error)));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    const isOwn = origin === url || ['blob:', 'data:', 'ws:'].includes(protocol);
    if (!isOwn) troubles.push(`a request to ${origin}`);
  });
  await page.goto(url);
  return { page, troubles };
}

/** By the rules of axe-core, in the colours of the day and of the night. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await page.evaluate<Pick<axe.AxeResults, 'violations'>>('axe.run()');
    const told = violations.map(({ id, nodes }) => [id, ...nodes.map(({ target }) => target)]);
    expect([colorScheme, told]).toEqual([colorScheme, []]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** With `PAGE_SCREENSHOTS=1` the pictures of docs/images are taken anew, once `shown` is there. */
export async function picture(page: Page, name: string, shown = 'body'): Promise<void> {
  if (process.env['PAGE_SCREENSHOTS'] === undefined) return;
  await page.locator(shown).waitFor();
  await mkdir(IMAGES, { recursive: true });
  const usual = page.viewportSize();
  // What is below the window is not drawn until it comes into it.
  const height = (await page.locator('html').boundingBox())?.height ?? 0;
  if (usual !== null) await page.setViewportSize({ ...usual, height: Math.ceil(height) });
  await page.screenshot({ path: join(IMAGES, `${name}.png`), fullPage: true });
  if (usual !== null) await page.setViewportSize(usual);
}

/** With `PAGE_SCREENSHOTS=1` the picture of a session with which nothing goes wrong. */
export async function livePicture(serviceUrl: string): Promise<void> {
  if (process.env['PAGE_SCREENSHOTS'] === undefined) return;
  const browser = await openBrowser(); // The microphone of another has been used up.
  const { page } = await visit(browser, serviceUrl);
  await page.locator('#speak').click();
  const second = page.locator('#transcript li[data-speaker="1"]').first();
  await second.waitFor({ timeout: 60_000 });
  await picture(page, 'page-live', '#transcript li[data-speaker="1"] ~ li .partial');
  await browser.close();
}

/** Ends the page's live session behind its back, as a service does that has lost its disk. */
export async function loseSession(serviceUrl: string, started: string): Promise<void> {
  const { session_id, resume_token } = Started.parse(JSON.parse(started));
  const client = new LiveClient(`${serviceUrl.replace('http', 'ws')}/stt/realtime`);
  await client.send({ type: 'resume_session', session_id, resume_token, last_event_seq: 0 });
  await client.send({ type: 'end_session' });
  await client.closed;
}

const Started = z.object({ session_id: z.string(), resume_token: z.string() });

/** What the page's next live session is told when it begins. */
export const sessionStarted = (page: Page): Promise<string> =>
  new Promise((resolve) => {
    page.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => {
        const text = payload.toString();
        if (text.includes('"session_started"')) resolve(text);
      });
    });
  });

export interface Network {
  readonly url: string;
  /** Every connection ends at once, as when a network is changed; none is made before `done`. */
  cut(done?: Promise<unknown>): void;
  close(): Promise<void>;
}

/** A way to the service that can be cut. */
export async function networkTo(serviceUrl: string): Promise<Network> {
  const sockets = new Set<Socket>();
  const target = Number(new URL(serviceUrl).port);
  let isDown = false;
  const server = createServer((client) => {
    if (isDown) return client.destroy();
    const service = connect(target, '127.0.0.1');
    for (const [from, to] of [[client, service] as const, [service, client] as const]) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const cut = (done?: Promise<unknown>): void => {
    isDown = done !== undefined;
    void done?.finally(() => {
      isDown = false;
    });
    for (const socket of sockets) socket.destroy();
  };
  const close = async (): Promise<void> => {
    cut();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, cut, close };
}
