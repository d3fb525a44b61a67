// Draws dashboards: a request in JSON a line of standard input, what was drawn a line of standard output.

import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import { bundle } from './build.mjs';
import { serve } from './serve.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const AS_ROOT = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const LONGEST_MS = 60_000; // of a drawing; a page that is busy for longer is left
const SETTLE_MS = 100;
const TOGETHER = 40; // drawings on one page; then a fresh one, so that nothing piles up

/** The zone in which a dashboard's times are. */
function zoneOf({ dashboard, zone }) {
  const own = dashboard.timezone;
  if (own && own !== 'browser') {
    return own === 'utc' ? 'UTC' : own;
  }
  return zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function tooLong() {
  return new Promise((_, refuse) => {
    setTimeout(() => refuse(new Error(`busy for more than ${LONGEST_MS / 1000} s`)), LONGEST_MS).unref();
  });
}

class Host {
  #pages = new Map();

  constructor(browser, address) {
    this.browser = browser;
    this.address = address;
  }

  /** A page for each zone and language: a browser has one of both. */
  async #pageFor(zone, locale) {
    const held = this.#pages.get(zone + locale);
    if (held && held.drawings < TOGETHER) {
      return held;
    }
    await held?.page.context().close();
    const context = await this.browser.newContext({ timezoneId: zone, locale, reducedMotion: 'reduce' });
    const page = await context.newPage();
    const fresh = { page, drawings: 0, said: [] };
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) {
        const { url } = message.location();
        fresh.said.push(`${message.type()}: ${message.text()} (${url.replace(this.address, '')})`);
      }
    });
    page.on('pageerror', (error) => fresh.said.push(`error: ${error.stack ?? error}`));
    await page.goto(this.address);
    this.#pages.set(zone + locale, fresh);
    return fresh;
  }

  /** The window, or, grown for a moment, all of the page: a table draws only those of its rows that are in sight. */
  async #pictured(page, { picture, full_page: isWhole, width, height }, wholeHeight) {
    if (isWhole && wholeHeight > height) {
      await page.setViewportSize({ width, height: wholeHeight });
      await page.waitForTimeout(SETTLE_MS);
    }
    await page.screenshot({ path: picture });
  }

  async drawn(request) {
    const zone = zoneOf(request);
    const held = await this.#pageFor(zone, request.locale ?? 'en-US');
    const { page } = held;
    held.drawings += 1;
    try {
      await page.setViewportSize({ width: request.width, height: request.height });
      await page.emulateMedia({ colorScheme: request.theme });
      const drawing = page.evaluate((asked) => window.drawDashboard(asked), { ...request, zone });
      const found = await Promise.race([drawing, tooLong()]);
      if (request.picture) {
        await this.#pictured(page, request, found.height);
      }
      return { id: request.id, ...found, console: held.said.splice(0) };
    } catch (error) {
      held.drawings = TOGETHER;
      return { id: request.id, failed: String(error.stack ?? error), console: held.said.splice(0) };
    }
  }
}

await bundle();
const server = await serve();
const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...AS_ROOT, '--font-render-hinting=none'] });
const host = new Host(browser, server.address);
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim()) {
    process.stdout.write(`${JSON.stringify(await host.drawn(JSON.parse(line)))}\n`);
  }
}
await browser.close();
server.close();
