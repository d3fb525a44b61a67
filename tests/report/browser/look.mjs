// Looks at pages: a request in JSON a line of standard input, what was seen a line of standard output.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const AS_ROOT = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What is wrong with the layout as it stands in the window. Runs in the page. */
function layoutFaults(width) {
  const found = [];
  const named = (e) => `<${e.tagName.toLowerCase()} class="${e.getAttribute('class') ?? ''}"> ${e.textContent.trim().slice(0, 40)}`;
  const unseen = (e) => e.closest('.unseen') || (getComputedStyle(e.closest('thead') ?? e).position === 'absolute');
  if (document.documentElement.scrollWidth > width) {
    found.push(`the page is ${document.documentElement.scrollWidth} px wide`);
  }
  for (const e of document.querySelectorAll('body *')) {
    const box = e.getBoundingClientRect();
    if (!box.width || unseen(e)) {
      continue;
    }
    if (box.right > width + 1 || box.left < -1) {
      found.push(`beyond the edge: ${named(e)}`);
    }
    if (!e.closest('svg') && getComputedStyle(e).overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1) {
      found.push(`cut: ${named(e)}`);
    }
  }
  for (const svg of document.querySelectorAll('svg')) {
    const frame = svg.getBoundingClientRect();
    if (!frame.width) {
      continue;
    }
    const scale = frame.width / svg.viewBox.baseVal.width;
    const texts = [...svg.querySelectorAll('text')].map((e) => ({ e, box: e.getBoundingClientRect() }));
    texts.forEach(({ e, box }, i) => {
      const size = Number(e.getAttribute('font-size')) * scale;
      if (size < 11) {
        found.push(`letters of ${size.toFixed(1)} px: ${named(e)}`);
      }
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) {
        found.push(`cut by its drawing: ${named(e)}`);
      }
      for (const { e: other, box: b } of texts.slice(i + 1)) {
        const across = Math.min(box.right, b.right) - Math.max(box.left, b.left);
        const down = Math.min(box.bottom, b.bottom) - Math.max(box.top, b.top);
        if (across > 1 && down > 4) {
          found.push(`over each other: ${named(e)} and ${named(other)}`);
        }
      }
    });
  }
  return found;
}

/** What might be torn by the end of a sheet: whatever is not kept together, or is higher than a sheet. */
function tornFaults(sheetHeight) {
  return [...document.querySelectorAll('figure, tr, dl div, .cards section, .about-numbers')]
    .filter((e) => e.getClientRects().length)
    .filter((e) => getComputedStyle(e).breakInside !== 'avoid' || e.getBoundingClientRect().height > sheetHeight)
    .map((e) => `may be torn: <${e.tagName.toLowerCase()}> ${e.textContent.trim().slice(0, 40)}`);
}

async function axeFaults(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `axe ${id}: ${nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(' | ')}`);
}

async function seen(browser, { id, file, width, height, theme, print: isPrint, axe, picture }) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme });
  const page = await context.newPage();
  const faults = [];
  page.on('console', (message) => faults.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => faults.push(`error: ${error}`));
  const address = pathToFileURL(file).href;
  page.on('request', (request) => request.url() !== address && faults.push(`asks for ${request.url()}`));
  if (isPrint) {
    await page.emulateMedia({ media: 'print' });
  }
  await page.goto(address);
  if (!isPrint) {
    // As who wants all of it sees it.
    await page.evaluate(() => document.querySelectorAll('details').forEach((e) => e.setAttribute('open', '')));
  }
  faults.push(...(await page.evaluate(layoutFaults, width)), ...(axe ? await axeFaults(page) : []));
  let sheets = 0;
  if (isPrint) {
    faults.push(...(await page.evaluate(tornFaults, height)));
    const pdf = (await page.pdf({ preferCSSPageSize: true, printBackground: true, path: picture ? `${picture}.pdf` : undefined })).toString('latin1');
    sheets = (pdf.match(/\/Type\s*\/Page\b(?!s)/g) ?? []).length;
  } else if (picture) {
    await page.screenshot({ path: `${picture}.png`, fullPage: true });
  }
  await context.close();
  return { id, faults, sheets };
}

const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...AS_ROOT, '--font-render-hinting=none'] });
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const answer = await seen(browser, request).catch((error) => ({ id: request.id, faults: [String(error.stack)], sheets: 0 }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
