import { useStyles2 } from '@grafana/ui';
import { css } from '@emotion/css';

/** What stands in a panel that has nothing to draw: the words of the dashboard, or what is missing. */
export function NoData({ data, fieldConfig, needs = [] }) {
  const styles = useStyles2(getStyles);
  return <div className={styles} data-no-data>{reason(data, fieldConfig, needs)}</div>;
}

function reason(data, fieldConfig, needs) {
  const frames = data?.series ?? [];
  if (!frames.some((frame) => frame.length)) {
    return fieldConfig?.defaults.noValue ?? 'No data';
  }
  for (const type of needs) {
    if (!frames.some((frame) => frame.fields.some((f) => f.type === type))) {
      return `Data is missing a ${type} field`;
    }
  }
  return 'Cannot visualize data';
}

const getStyles = (theme) =>
  css({
    alignItems: 'center',
    color: theme.colors.text.secondary,
    display: 'flex',
    fontSize: theme.typography.size.lg,
    height: '100%',
    justifyContent: 'center',
    textAlign: 'center',
    whiteSpace: 'pre-wrap',
    width: '100%',
  });
