/**
 * Judges manifests as the API server does with `--validate=strict`, offline: fields and their types, by the schemas in
 * test/fixtures/kubernetes. Values that it checks in code (a port's range, the words of dnsPolicy) pass here.
 */
import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** `whole`: a manifest. `patch`: a part of one; required fields may be missing, and null takes a field away. */
export type Extent = 'whole' | 'patch';

const FIXTURE = new URL('../fixtures/kubernetes/schemas.json', import.meta.url);
const FIXTURE_JSON: { kinds: Record<string, Json>; definitions: Json } = JSON.parse(
  readFileSync(FIXTURE, 'utf8'),
);

const TEXTS: Json = { type: 'array', items: { type: 'string', minLength: 1 } };

/** https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/: the fields that are used here. */
const KUSTOMIZATION: Json = {
  type: 'object',
  required: ['apiVersion', 'kind'],
  additionalProperties: false,
  properties: {
    apiVersion: { enum: ['kustomize.config.k8s.io/v1beta1', 'kustomize.config.k8s.io/v1alpha1'] },
    kind: { enum: ['Kustomization', 'Component'] },
    resources: TEXTS,
    components: TEXTS,
    images: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name'],
        additionalProperties: false,
        properties: {
          name: { type: 'string' },
          newName: { type: 'string' },
          newTag: { type: 'string' },
          digest: { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' },
        },
      },
    },
    patches: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        properties: {
          path: { type: 'string' },
          patch: { type: 'string' },
          target: {
            type: 'object',
            additionalProperties: false,
            properties: { kind: { type: 'string' }, name: { type: 'string' } },
          },
        },
      },
    },
  },
};

const KINDS: Readonly<Record<string, Json>> = {
  ...FIXTURE_JSON.kinds,
  'kustomize.config.k8s.io/v1beta1 Kustomization': KUSTOMIZATION,
  'kustomize.config.k8s.io/v1alpha1 Component': KUSTOMIZATION,
};

const VALIDATORS = new Map<string, ValidateFunction>();

/** What is wrong with a manifest, each problem with its path; nothing where the API server would take it. */
export function problemsOf(manifest: unknown, extent: Extent): readonly string[] {
  const { apiVersion, kind } = isObject(manifest) ? manifest : {};
  const name = `${String(apiVersion)} ${String(kind)}`;
  const schema = KINDS[name];
  if (schema === undefined) {
    return [`unknown apiVersion and kind "${name}"; there are schemas for ${Object.keys(KINDS).join(', ')}`];
  }
  const validate = validatorOf(`${name} ${extent}`, extent === 'whole' ? schema : loosened(schema), extent);
  return validate(manifest) ? [] : (validate.errors ?? []).map(describe);
}

function validatorOf(key: string, schema: Json, extent: Extent): ValidateFunction {
  const known = VALIDATORS.get(key);
  if (known !== undefined) return known;
  const { definitions } = FIXTURE_JSON;
  const ajv = new Ajv({
    allErrors: true,
    allowUnionTypes: true,
    strict: true,
    formats: { int32: isInteger(2 ** 31), int64: isInteger(2 ** 53), 'date-time': true },
  });
  const validate = ajv.compile({
    ...(isObject(schema) ? schema : {}),
    definitions: extent === 'whole' ? definitions : loosened(definitions),
  });
  VALIDATORS.set(key, validate);
  return validate;
}

function isInteger(limit: number): { type: 'number'; validate: (value: number) => boolean } {
  return {
    type: 'number',
    validate: (value) => Number.isInteger(value) && value >= -limit && value < limit,
  };
}

/** The schema for a patch: nothing is required but to say what is patched, and whatever has a type may be null. */
function loosened(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(loosened);
  if (!isObject(schema)) return schema;
  const { required: _required, ...rest } = schema;
  const isSchema = typeof schema['type'] === 'string' || Array.isArray(schema['type']);
  const inner = Object.fromEntries(
    Object.entries(isSchema ? rest : schema).map(([name, one]) => [name, loosened(one)]),
  );
  if (!isSchema) return inner;
  const choices = schema['enum'];
  return { ...inner, nullable: true, ...(Array.isArray(choices) ? { enum: [...choices, null] } : {}) };
}

function describe({ instancePath, keyword, params, message = '' }: ErrorObject): string {
  const where = instancePath === '' ? '/' : instancePath;
  if (keyword === 'additionalProperties') return `${where}: unknown field "${params['additionalProperty']}"`;
  if (keyword === 'required') return `${where}: "${params['missingProperty']}" is missing`;
  if (keyword === 'enum') return `${where}: must be one of ${JSON.stringify(params['allowedValues'])}`;
  return `${where}: ${message}`;
}

function isObject(value: unknown): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
