// What stands on the page when it has come to rest.

import { LoadingState, formattedValueToString, getFieldDisplayName } from '@grafana/data';
import { VizPanel, sceneGraph } from '@grafana/scenes';
import { lastDrawnAt } from './canvas.js';
import { canvasShapes, canvasTexts, domShapes, domTexts, links } from './seen.js';
import { waitingForAnswers } from './queries.js';

const QUIET_MS = 150;
const QUIET_FRAMES = 5;
const LONGEST_MS = 40_000;

const panelsOf = (scene) => sceneGraph.findAllObjects(scene, (o) => o instanceof VizPanel);

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Waits until every question is answered and nothing has been drawn for a while; gives when the last was drawn. */
export async function quiet(scene) {
  const began = performance.now();
  const watch = changes();
  await document.fonts.ready;
  for (;;) {
    await pause(10);
    const last = Math.max(watch.changed, lastDrawnAt());
    const now = performance.now();
    // On a machine that is busy with other things a while may pass in which the browser had no turn.
    const hadTurns = watch.framesSince(last) >= QUIET_FRAMES || now - last >= 60 * QUIET_MS;
    if (!isBusy(scene) && now - last >= QUIET_MS && hadTurns) {
      watch.end();
      return last;
    }
    if (now - began > LONGEST_MS) {
      watch.end();
      const waiting = panelsOf(scene).filter((panel) => isLoading(panel) || isBlank(panel)).map((p) => p.state.key);
      throw new Error(`not at rest after ${LONGEST_MS} ms; loading or blank: ${waiting.join(', ')}`);
    }
  }
}

/** Notes when the document last changed, and the frames that were shown since. */
function changes() {
  const frames = [];
  const watch = {
    changed: performance.now(),
    framesSince: (moment) => frames.filter((at) => at > moment).length,
    end: () => {
      observer.disconnect();
      cancelAnimationFrame(next);
    },
  };
  const observer = new MutationObserver(() => {
    watch.changed = performance.now();
  });
  observer.observe(document.documentElement, {
    attributes: true,
    characterData: true,
    childList: true,
    subtree: true,
  });
  const frame = () => {
    frames.push(performance.now());
    frames.splice(0, frames.length - QUIET_FRAMES);
    next = requestAnimationFrame(frame);
  };
  let next = requestAnimationFrame(frame);
  return watch;
}

const dataOf = (panel) => (panel.state.$data ? sceneGraph.getData(panel).state.data : undefined);

function isLoading(panel) {
  const isRunning = dataOf(panel)?.state === LoadingState.Loading;
  return !panel.getPlugin() || (panel.state.$data && !dataOf(panel)) || isRunning;
}

function isBusy(scene) {
  return (
    waitingForAnswers() > 0 ||
    document.fonts.status !== 'loaded' ||
    scene.state.$variables.state.variables.some((v) => v.state.loading) ||
    panelsOf(scene).some((panel) => isLoading(panel) || isBlank(panel))
  );
}

/** Whether nothing stands in a panel yet, which has its answer: one without anything to draw says so in words. */
function isBlank(panel) {
  const place = `[data-viz-panel-key="${panel.state.key}"] [data-testid="data-testid panel content"]`;
  const content = document.querySelector(place);
  return !content?.textContent.trim() && !content?.querySelector('canvas');
}

export function measured(scene, dashboard) {
  const panels = panelsOf(scene).map((panel) => panelSeen(panel, dashboard));
  return {
    height: document.documentElement.scrollHeight,
    panels,
    texts: [...domTexts(), ...canvasTexts()],
    shapes: [...domShapes(), ...canvasShapes()],
    links: links(),
  };
}

function panelSeen(panel, dashboard) {
  const id = panel.getLegacyPanelId();
  const { type } = dashboard.panels.find((p) => p.id === id);
  const data = dataOf(panel);
  const series = data ? panel.applyFieldConfig(data).series : [];
  const element = document.querySelector(`[data-viz-panel-key="panel-${id}"]`);
  const box = element?.getBoundingClientRect();
  const broken = element?.querySelector('[data-testid="data-testid Alert error"]');
  const isEmpty = element?.querySelector('[data-no-data]') || (data && !series.some((f) => f.length));
  const error = broken?.textContent.split('\n')[0] ?? messages(data);
  return {
    id,
    title: panel.interpolate(panel.state.title, undefined, 'text'),
    type,
    state: error ? 'error' : isEmpty ? 'empty' : 'drawn',
    error: error || null,
    x: box?.x ?? 0,
    y: (box?.y ?? 0) + scrollY,
    width: box?.width ?? 0,
    height: box?.height ?? 0,
    data: series.map((frame) => frameSeen(frame, series)),
  };
}

const messages = (data) => (data?.errors ?? (data?.error ? [data.error] : [])).map((e) => e.message).join(', ');

function frameSeen(frame, series) {
  return {
    refId: frame.refId,
    name: frame.name,
    fields: frame.fields.map((field) => ({
      name: field.name,
      displayName: getFieldDisplayName(field, frame, series),
      type: field.type,
      labels: field.labels ?? {},
      values: field.values,
      texts: field.values.map((v) => formattedValueToString(field.display(v))),
    })),
  };
}
