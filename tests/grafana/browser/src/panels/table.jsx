import { FieldColorModeId, cacheFieldDisplayNames, getFrameDisplayName } from '@grafana/data';
import { Select } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { panelPlugin } from '../fieldConfig.js';
import { NoData } from './noData.jsx';

const PICKER = 40; // pixels, below the table, where there are several frames to pick from

function Rows({ data, fieldConfig, height, options, timeRange, transparent, width }) {
  const frames = data.series;
  if (!frames.some((frame) => frame.fields.length)) {
    return <NoData data={data} fieldConfig={fieldConfig} />;
  }
  const index = Math.min(options.frameIndex ?? 0, frames.length - 1);
  const frame = frames[index];
  // The library's table looks for names where Grafana has put them before.
  cacheFieldDisplayNames(frames);
  const table = (
    <TableNG
      data={frame}
      width={width}
      height={frames.length > 1 ? height - PICKER : height}
      noHeader={!options.showHeader}
      showTypeIcons={options.showTypeIcons}
      initialSortBy={options.sortBy}
      cellHeight={options.cellHeight}
      maxRowHeight={options.maxRowHeight}
      enablePagination={options.enablePagination}
      frozenColumns={options.frozenColumns?.left}
      structureRev={data.structureRev}
      fieldConfig={fieldConfig}
      timeRange={timeRange}
      transparent={transparent}
      getActions={() => []}
      resizable={true}
    />
  );
  if (frames.length === 1) {
    return table;
  }
  const names = frames.map((f, value) => ({ label: getFrameDisplayName(f), value }));
  return (
    <div>
      {table}
      <Select options={names} value={names[index]} onChange={() => undefined} />
    </div>
  );
}

export const table = panelPlugin(Rows, {
  color: FieldColorModeId.Thresholds,
  options: {
    frameIndex: 0,
    showHeader: true,
    showTypeIcons: false,
    cellHeight: 'sm',
    enablePagination: false,
  },
  custom: {
    align: 'auto',
    cellOptions: { type: 'auto' },
    filterable: false,
    footer: undefined,
    hidden: undefined,
    hideFrom: undefined,
    inspect: false,
    minWidth: undefined,
    tooltip: undefined,
    width: undefined,
    wrapHeaderText: undefined,
    wrapText: undefined,
  },
});
