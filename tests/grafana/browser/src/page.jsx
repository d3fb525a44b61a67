// What stands around the panels: the bar with the title, variables, links, the picker of times.

import { Button, Icon, InlineLabel, LinkButton, ToolbarButton, useStyles2 } from '@grafana/ui';
import { css } from '@emotion/css';

export function Page({ model }) {
  const styles = useStyles2(getStyles);
  const { title, kiosk, body, selectors, picker, refresh, isPickerHidden, links, others, $data } = model.useState();
  return (
    <div className={styles.page}>
      {!kiosk && <TitleBar title={title} />}
      <div className={styles.controls}>
        <div className={styles.left}>
          <selectors.Component model={selectors} />
          {$data.state.layers
            .filter((layer) => !layer.state.isHidden)
            .map((layer) => (
              <div key={layer.state.key} className={styles.layer}>
                <InlineLabel width="auto">{layer.state.name}</InlineLabel>
                <layer.Component model={layer} />
              </div>
            ))}
        </div>
        <div className={styles.right}>
          {links.map((link) => (
            <DashboardLink key={`${link.title}${link.url}`} link={link} others={others} model={model} />
          ))}
          {!isPickerHidden && <picker.Component model={picker} />}
          {!isPickerHidden && <refresh.Component model={refresh} />}
        </div>
      </div>
      <div className={styles.body}>
        <body.Component model={body} />
      </div>
    </div>
  );
}

function TitleBar({ title }) {
  const styles = useStyles2(getStyles);
  return (
    <>
      <div className={styles.bar}>
        <ToolbarButton icon="bars" iconSize="xl" aria-label="menu" />
        <span className={styles.crumbs}>Home</span>
        <Icon name="angle-right" className={styles.crumbs} />
        <span className={styles.crumbs}>Dashboards</span>
        <Icon name="angle-right" className={styles.crumbs} />
        <span className={styles.title}>{title}</span>
      </div>
      <div className={styles.bar} />
    </>
  );
}

/** A link to an address, or one to each other dashboard with a tag. */
function DashboardLink({ link, others, model }) {
  if (link.type === 'link') {
    return (
      <LinkButton variant="secondary" fill="outline" icon={ICONS[link.icon] ?? 'link'} href={address(link, model)}>
        {model.interpolated(link.title)}
      </LinkButton>
    );
  }
  if (link.asDropdown) {
    return (
      <Button variant="secondary" fill="outline" icon="bars">
        {model.interpolated(link.title)}
      </Button>
    );
  }
  return others.map((title) => (
    <LinkButton key={title} variant="secondary" fill="outline" icon="apps" href="#">
      {title}
    </LinkButton>
  ));
}

/** Where a link leads, with what it takes along. */
function address({ url, includeVars, keepTime }, model) {
  const taken = [keepTime && '${__url_time_range}', includeVars && '${__all_variables}'].filter(Boolean);
  const whole = taken.length ? `${url}${url.includes('?') ? '&' : '?'}${taken.join('&')}` : url;
  return model.interpolated(whole);
}

const ICONS = {
  'external link': 'external-link-alt',
  dashboard: 'apps',
  question: 'question-circle',
  info: 'info-circle',
  bolt: 'bolt',
  doc: 'file-alt',
  cloud: 'cloud',
};

const BAR = 40; // pixels of each of two: that of the title, and that of what one may do with the dashboard

const getStyles = (theme) => ({
  page: css({ display: 'flex', flexDirection: 'column', minHeight: '100vh', background: theme.colors.background.canvas }),
  bar: css({
    alignItems: 'center',
    background: theme.colors.background.primary,
    borderBottom: `1px solid ${theme.colors.border.weak}`,
    display: 'flex',
    gap: theme.spacing(0.5),
    height: BAR,
    padding: theme.spacing(0, 1),
    whiteSpace: 'nowrap',
  }),
  crumbs: css({
    color: theme.colors.text.secondary,
    [theme.breakpoints.down('sm')]: { display: 'none' },
  }),
  title: css({ overflow: 'hidden', textOverflow: 'ellipsis' }),
  controls: css({
    alignItems: 'flex-start',
    display: 'flex',
    gap: theme.spacing(1),
    padding: theme.spacing(2, 2, 1, 2),
    [theme.breakpoints.down('sm')]: { alignItems: 'stretch', flexDirection: 'column-reverse' },
  }),
  left: css({ display: 'flex', flexGrow: 1, flexWrap: 'wrap', gap: theme.spacing(1) }),
  layer: css({ display: 'flex' }),
  right: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(1) }),
  body: css({ display: 'flex', flexGrow: 1, padding: theme.spacing(1, 2, 2, 2) }),
});
