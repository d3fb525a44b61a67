// Bundles the page: `node build.mjs`. draw.mjs does it by itself where the bundle is older than what it is made of.

import { build } from 'esbuild';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
export const BUNDLE = join(HERE, 'build', 'main.js');

const sources = () => [
  fileURLToPath(import.meta.url),
  join(HERE, 'package-lock.json'),
  ...readdirSync(join(HERE, 'src'), { recursive: true }).map((name) => join(HERE, 'src', name)),
];

const changed = (path) => statSync(path).mtimeMs;

/** Editors and maps, which no dashboard of ours shows, are most of what the libraries bring along. */
const NOT_NEEDED = /^(monaco-editor|react-monaco-editor|monaco-promql|@grafana\/monaco-logql|ol|ol-ext|@monaco-editor)(\/|$)/;

const without = {
  name: 'without',
  setup(building) {
    building.onResolve({ filter: NOT_NEEDED }, ({ path }) => ({ path, namespace: 'without' }));
    building.onLoad({ filter: /.*/, namespace: 'without' }, () => ({ contents: 'module.exports = {}', loader: 'js' }));
  },
};

/** One copy of each library: scenes is there for `require` only, and would bring a second one of all others along. */
const ONCE = /^(@grafana\/(data|runtime|schema|ui|ui\/unstable)|react-router-dom-v5-compat)$/;

const once = {
  name: 'once',
  setup(building) {
    building.onResolve({ filter: ONCE }, ({ path, kind, resolveDir }) => {
      if (path === 'react-router-dom-v5-compat') {
        return building.resolve('react-router-dom', { kind: 'import-statement', resolveDir: HERE });
      }
      return kind === 'require-call' ? building.resolve(path, { kind: 'import-statement', resolveDir }) : undefined;
    });
  },
};

/** The table's grid gives contexts as React 19 takes them; the libraries have React 18. */
const providers = {
  name: 'providers',
  setup(building) {
    building.onLoad({ filter: /react-data-grid\/lib\/index\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      return { contents: text.replace(/(jsxs?)\((\w+Context), /g, '$1($2.Provider, '), loader: 'js' };
    });
  },
};

export async function bundle() {
  if (existsSync(BUNDLE) && sources().every((path) => changed(path) < changed(BUNDLE))) {
    return;
  }
  await build({
    entryPoints: [join(HERE, 'src', 'main.jsx')],
    outfile: BUNDLE,
    bundle: true,
    minify: true,
    keepNames: true,
    jsx: 'automatic',
    format: 'iife',
    target: 'chrome120',
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
    loader: { '.svg': 'dataurl', '.woff2': 'dataurl' },
    plugins: [without, once, providers],
    metafile: process.argv.includes('--sizes'),
    logLevel: 'error',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundle();
}
