/**
 * Judges a dashboard as the schemas of Grafana's Foundation SDK describe it, in test/fixtures/grafana: its fields, and
 * those that are the panels', the queries' and the overrides' own, which the dashboard's schema leaves open.
 */
import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';

type Json = null | boolean | number | string | readonly Json[] | JsonObject;
interface JsonObject {
  readonly [name: string]: Json;
}

const FIXTURE = new URL('../fixtures/grafana/schemas.json', import.meta.url);
const { schemas }: { readonly schemas: Readonly<Record<string, JsonObject>> } = JSON.parse(
  readFileSync(FIXTURE, 'utf8'),
);

/** Which schema is that of a type of panel. */
const PANEL_SCHEMAS: Readonly<Record<string, string>> = {
  bargauge: 'bargauge',
  stat: 'stat',
  'state-timeline': 'statetimeline',
  table: 'table',
  timeseries: 'timeseries',
};

/** The options of the transformations that are used: packages/grafana-data/src/transformations in Grafana's source. */
const TRANSFORMATIONS: Readonly<Record<string, Json>> = {
  merge: { type: 'object', additionalProperties: false },
  filterFieldsByName: {
    type: 'object',
    additionalProperties: false,
    required: ['include'],
    properties: {
      include: {
        type: 'object',
        additionalProperties: false,
        required: ['names'],
        properties: { names: { type: 'array', items: { type: 'string' }, minItems: 1 } },
      },
    },
  },
  organize: {
    type: 'object',
    additionalProperties: false,
    properties: {
      indexByName: { type: 'object', additionalProperties: { type: 'number' } },
      renameByName: { type: 'object', additionalProperties: { type: 'string' } },
    },
  },
};

const AJV = new Ajv({
  allErrors: true,
  allowUnionTypes: true,
  strict: false,
  formats: { 'date-time': true },
});
for (const [name, schema] of Object.entries(schemas)) {
  const { $ref: _root, ...rest } = schema;
  AJV.addSchema({ ...rest, $id: name });
}

/** What is wrong with a dashboard, each problem with its path; nothing where all is as the schemas have it. */
export function dashboardProblems(dashboard: unknown): readonly string[] {
  const { panels, ...rest } = isObject(dashboard) ? dashboard : {};
  return [
    ...problemsAt('', rest, 'dashboard#/definitions/Dashboard'),
    ...items(panels).flatMap((panel, index) => {
      const path = `/panels/${index}`;
      return field(panel, 'type') === 'row'
        ? problemsAt(path, panel, 'dashboard#/definitions/RowPanel')
        : panelProblems(panel, path);
    }),
  ];
}

/** What is wrong with a value, by a definition in a schema: `alerting#/definitions/Query`. */
export function problemsAt(path: string, value: unknown, reference: string): readonly string[] {
  const validate = validatorOf(reference);
  return validate(value) ? [] : (validate.errors ?? []).map((error) => path + describe(error));
}

function panelProblems(panel: unknown, path: string): readonly string[] {
  const type = String(field(panel, 'type'));
  const schema = PANEL_SCHEMAS[type];
  if (schema === undefined) return [`${path}/type: no schema for panels of type "${type}"`];
  const config = field(panel, 'fieldConfig');
  const custom = field(field(config, 'defaults'), 'custom');
  const definitions = field(schemas[schema], 'definitions');
  const fieldConfig =
    field(definitions, 'FieldConfig') === undefined ? null : `${schema}#/definitions/FieldConfig`;
  return [
    ...problemsAt(path, panel, 'dashboard#/definitions/Panel'),
    ...problemsAt(`${path}/options`, field(panel, 'options'), `${schema}#/definitions/Options`),
    ...(custom === undefined || fieldConfig === null
      ? []
      : problemsAt(`${path}/fieldConfig/defaults/custom`, custom, fieldConfig)),
    ...items(field(panel, 'targets')).flatMap((target, index) =>
      problemsAt(`${path}/targets/${index}`, target, 'prometheus#/definitions/Dataquery'),
    ),
    ...items(field(config, 'overrides')).flatMap((override, index) =>
      items(field(override, 'properties')).flatMap((property) =>
        overrideProblems(property, { path: `${path}/fieldConfig/overrides/${index}`, fieldConfig }),
      ),
    ),
    ...items(field(panel, 'transformations')).flatMap((transformation, index) =>
      transformationProblems(transformation, `${path}/transformations/${index}`),
    ),
  ];
}

/** An override is a field of the configuration with a value: `unit`, or `custom.width` for one of the panel's own. */
function overrideProblems(
  property: unknown,
  { path, fieldConfig }: { readonly path: string; readonly fieldConfig: string | null },
): readonly string[] {
  const id = String(field(property, 'id'));
  const own = /^custom\.(.+)$/.exec(id)?.[1];
  const value = field(property, 'value');
  if (own === undefined) return problemsAt(path, { [id]: value }, 'dashboard#/definitions/FieldConfig');
  if (fieldConfig === null) return [`${path}: "${id}" of a panel that has nothing of its own`];
  // Fields that must be there are so in the defaults.
  return problemsAt(path, { [own]: value }, fieldConfig).filter((problem) => !problem.endsWith('is missing'));
}

function transformationProblems(transformation: unknown, path: string): readonly string[] {
  const id = String(field(transformation, 'id'));
  const schema = TRANSFORMATIONS[id];
  if (schema === undefined) return [`${path}: unknown transformation "${id}"`];
  const validate = AJV.compile(isObject(schema) ? schema : {});
  return validate(field(transformation, 'options'))
    ? []
    : (validate.errors ?? []).map((one) => path + describe(one));
}

function validatorOf(reference: string): ValidateFunction {
  const validate = AJV.getSchema(reference);
  if (validate === undefined) throw new RangeError(`Cannot find the schema "${reference}"`);
  return validate;
}

function describe({ instancePath, keyword, params, message = '' }: ErrorObject): string {
  const where = instancePath === '' ? '/' : instancePath;
  if (keyword === 'additionalProperties') return `${where}: unknown field "${params['additionalProperty']}"`;
  if (keyword === 'required') return `${where}: "${params['missingProperty']}" is missing`;
  if (keyword === 'enum') return `${where}: must be one of ${JSON.stringify(params['allowedValues'])}`;
  return `${where}: ${message}`;
}

function field(value: unknown, name: string): Json | undefined {
  return isObject(value) ? value[name] : undefined;
}

function items(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
