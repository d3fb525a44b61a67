import { renderTextPanelMarkdown, textUtil } from '@grafana/data';
import { ScrollContainer } from '@grafana/ui';
import { panelPlugin } from '../fieldConfig.js';

function Text({ options, replaceVariables }) {
  const content = replaceVariables(options.content ?? '', {}, options.mode === 'markdown' ? undefined : 'html');
  const html =
    options.mode === 'html' ? textUtil.sanitizeTextPanelContent(content) : renderTextPanelMarkdown(content);
  return (
    <ScrollContainer minHeight="100%">
      <div className="markdown-html" dangerouslySetInnerHTML={{ __html: html }} />
    </ScrollContainer>
  );
}

export const text = panelPlugin(Text, { options: { mode: 'markdown', content: '' } });
text.meta = { skipDataQuery: true };
