// `window.drawDashboard(request)` draws a dashboard and says what stands on the page.

import './globals.js';
import './page.css';
import 'react-grid-layout/css/styles.css';
import 'react-resizable/css/styles.css';
import 'uplot/dist/uPlot.min.css';
import 'moment/locale/nl'; // Grafana has all of moment's languages in it

import { EventBusSrv, createTheme, locationUtil, setLocale, setTimeZoneResolver, setWeekStart } from '@grafana/data';
import {
  LocationServiceProvider,
  config,
  locationService,
  setAppEvents,
  setPluginImportUtils,
  setRunRequest,
} from '@grafana/runtime';
import { GlobalStyles, PortalContainer, ThemeContext } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import { Router } from 'react-router-dom';
import { standAt } from './clock.js';
import { sceneOf } from './dashboard.jsx';
import { registerFieldOptions } from './fieldConfig.js';
import { measured, quiet } from './measure.js';
import { registerPanels } from './panels/plugins.js';
import { askAt, registerDataSources, runRequest } from './queries.js';
import { registerTransformations } from './transformers.js';

setAppEvents(new EventBusSrv());
setRunRequest(runRequest);
setPluginImportUtils({ getPanelPluginFromCache: () => undefined, importPanelPlugin: async (id) => Promise.reject(new Error(`no panel of type ${id}`)) });
locationUtil.initialize({
  config,
  getVariablesUrlParams: () => ({}),
  getTimeRangeForUrl: () => ({}),
});
registerFieldOptions();
registerTransformations();
registerPanels();

let root;

window.drawDashboard = async (request) => {
  const zone = request.zone;
  standAt(request.now_ms);
  askAt(request.ask);
  setTimeZoneResolver(() => zone);
  config.theme2 = createTheme({ colors: { mode: request.theme } });
  config.theme = config.theme2.v1;
  registerDataSources(request.dashboard);
  document.documentElement.style.colorScheme = request.theme;

  root?.unmount();
  setLocale(request.locale ?? 'en-US');
  setWeekStart(request.dashboard.weekStart || 'browser'); // a scene that goes resets it
  const began = performance.now();
  const scene = sceneOf(request, zone);
  root = createRoot(document.getElementById('root'));
  root.render(
    <ThemeContext.Provider value={config.theme2}>
      <LocationServiceProvider service={locationService}>
        <Router location={locationService.getLocation()} navigator={locationService.getHistory()}>
          <GlobalStyles />
          <scene.Component model={scene} />
          <PortalContainer />
        </Router>
      </LocationServiceProvider>
    </ThemeContext.Provider>
  );
  const ended = await quiet(scene);
  return { seconds: (ended - began) / 1000, ...measured(scene, request.dashboard) };
};
