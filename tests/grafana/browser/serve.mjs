// The page, its fonts and icons; and the page's questions, handed on to the test program.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const MODULES = join(HERE, 'node_modules');
const INTER = join(MODULES, '@fontsource', 'inter', 'files');

const KINDS = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** Grafana's names of its fonts, and the files of the same in the packages. */
const FONTS = {
  'Inter-Regular.woff2': join(INTER, 'inter-latin-400-normal.woff2'),
  'Inter-Medium.woff2': join(INTER, 'inter-latin-500-normal.woff2'),
  'Inter-Italic.woff2': join(INTER, 'inter-latin-400-italic.woff2'),
  'Inter-MediumItalic.woff2': join(INTER, 'inter-latin-500-italic.woff2'),
};
const MONO = join(MODULES, '@fontsource', 'roboto-mono', 'files', 'roboto-mono-latin-400-normal.woff2');

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/build/main.css" />
  </head>
  <body>
    <div id="root"></div>
    <script src="/build/main.js"></script>
  </body>
</html>`;

/** The package holds the icons that its own components name, but for one; another's place stays empty. */
const NO_ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"></svg>';
const FLIPPED = { 'angle-double-left.svg': 'angle-double-right.svg' };

async function icon(path) {
  const flipped = FLIPPED[path.split('/').at(-1)];
  if (flipped) {
    const other = await readFile(join(path, '..', flipped), 'utf8');
    return other.replace('<path', '<path transform="matrix(-1 0 0 1 24 0)"');
  }
  return existsSync(path) ? readFile(path) : NO_ICON;
}

function fileOf(path) {
  const name = path.split('/').at(-1);
  if (path.startsWith('/build/')) {
    return join(HERE, path);
  }
  if (path.startsWith('/public/fonts/')) {
    return FONTS[name] ?? MONO;
  }
  if (path.startsWith('/public/build/img/icons/')) {
    return join(MODULES, '@grafana', 'ui', 'dist', normalize(path).replace('/public/build/', '/public/'));
  }
  return null;
}

async function handOn(request, response) {
  const parts = [];
  for await (const part of request) {
    parts.push(part);
  }
  const answer = await fetch(`${request.headers['x-ask']}${request.url.replace('/ask', '')}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: Buffer.concat(parts),
  });
  response.writeHead(answer.status, { 'Content-Type': 'application/json' });
  response.end(Buffer.from(await answer.arrayBuffer()));
}

const kept = new Map();

async function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://page');
  if (pathname.startsWith('/ask/')) {
    return handOn(request, response);
  }
  const path = pathname === '/' ? null : fileOf(pathname);
  if (pathname !== '/' && !path) {
    response.writeHead(404).end();
    return undefined;
  }
  if (path && !kept.has(path)) {
    kept.set(path, await (extname(path) === '.svg' ? icon(path) : readFile(path)));
  }
  const kind = KINDS[path ? extname(path) : '.html'] ?? 'application/octet-stream';
  response.writeHead(200, { 'Content-Type': kind, 'Cache-Control': 'max-age=3600' });
  response.end(path ? kept.get(path) : PAGE);
  return undefined;
}

/** Serves on a free port; gives the address. */
export async function serve() {
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      response.writeHead(502, { 'Content-Type': 'text/plain' });
      response.end(String(error.cause ?? error));
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { address: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
