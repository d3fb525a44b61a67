// The field options of Grafana's documentation: each can stand in the defaults of a panel and in its overrides.

import {
  FieldColorModeId,
  PanelPlugin,
  dataLinksOverrideProcessor,
  displayNameOverrideProcessor,
  identityOverrideProcessor,
  numberOverrideProcessor,
  standardFieldConfigEditorRegistry,
  thresholdsOverrideProcessor,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
} from '@grafana/data';

const none = () => null;

const option = (id, process, rest = {}) => ({
  id,
  path: id,
  name: id,
  editor: none,
  override: none,
  process,
  shouldApply: () => true,
  ...rest,
});

const STANDARD = [
  option('displayName', displayNameOverrideProcessor, { settings: { expandTemplateVars: true } }),
  option('unit', unitOverrideProcessor),
  option('min', numberOverrideProcessor),
  option('max', numberOverrideProcessor),
  option('decimals', numberOverrideProcessor),
  option('noValue', identityOverrideProcessor),
  option('description', identityOverrideProcessor),
  option('fieldMinMax', identityOverrideProcessor),
  option('filterable', identityOverrideProcessor),
  option('mappings', valueMappingsOverrideProcessor, { defaultValue: [] }),
  option('links', dataLinksOverrideProcessor),
  option('actions', identityOverrideProcessor),
  option('color', identityOverrideProcessor),
  option('thresholds', thresholdsOverrideProcessor, {
    defaultValue: {
      mode: 'absolute',
      steps: [
        { value: -Infinity, color: 'green' },
        { value: 80, color: 'red' },
      ],
    },
  }),
];

export function registerFieldOptions() {
  standardFieldConfigEditorRegistry.setInit(() => STANDARD);
}

/** A panel of ours. `custom` holds its own field options and what they are if nobody says. */
export function panelPlugin(component, { custom = {}, options = {}, color = FieldColorModeId.Thresholds } = {}) {
  return new PanelPlugin(component)
    .useFieldConfig({
      standardOptions: { color: { defaultValue: { mode: color } } },
      useCustomConfig: (builder) => {
        for (const [id, defaultValue] of Object.entries(custom)) {
          builder.addCustomEditor(option(id, identityOverrideProcessor, { defaultValue }));
        }
      },
    })
    .setPanelOptions((builder) => {
      for (const [path, defaultValue] of Object.entries(options)) {
        builder.addCustomEditor({ id: path, path, name: path, editor: none, defaultValue });
      }
    });
}
