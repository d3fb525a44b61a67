// What Grafana's server writes into its page before any of its libraries is loaded.

import './clock.js';
import './canvas.js';

window.__grafana_public_path__ = '/public/';
window.grafanaBootData = {
  assets: { dark: '', light: '' },
  settings: {
    buildInfo: { version: '12.4.3', env: 'production' },
    featureToggles: {},
    bootData: {},
  },
  user: { locale: 'en-US', language: 'en-US', timezone: 'browser', weekStart: '', permissions: {} },
  navTree: [],
};
