/**
 * Makes test/fixtures/kubernetes/schemas.json, by which test/manifests.test.ts judges the manifests: JSON Schemas of
 * the kinds below, out of the OpenAPI document of Kubernetes and the CRDs of the Prometheus Operator.
 *
 *     node scripts/kubernetes-schema.ts SWAGGER CRD...
 *
 * SWAGGER is api/openapi-spec/swagger.json of github.com/kubernetes/kubernetes, the CRDs are in
 * example/prometheus-operator-crd of github.com/prometheus-operator/prometheus-operator. Both are in the Go modules
 * that SOURCES names: `go mod download -json k8s.io/kubernetes@v1.36.3` says where.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { LIMITS } from './kubernetes-limits.ts';

const SOURCES = [
  'k8s.io/kubernetes@v1.36.3 api/openapi-spec/swagger.json, Apache-2.0',
  'github.com/prometheus-operator/prometheus-operator@v0.85.0 example/prometheus-operator-crd, Apache-2.0',
];

const FIXTURE = new URL('../test/fixtures/kubernetes/schemas.json', import.meta.url);

/** What the manifests are made of: `apiVersion kind`. */
const KINDS = [
  'v1 Namespace',
  'v1 Service',
  'v1 ServiceAccount',
  'apps/v1 DaemonSet',
  'networking.k8s.io/v1 NetworkPolicy',
  'rbac.authorization.k8s.io/v1 Role',
  'rbac.authorization.k8s.io/v1 RoleBinding',
];

type Json = null | boolean | number | string | readonly Json[] | JsonObject;
interface JsonObject {
  readonly [name: string]: Json;
}

/** What the server writes. Nobody does in a manifest. */
const SERVER_FIELDS = new Map([
  [
    'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
    [
      'creationTimestamp',
      'deletionGracePeriodSeconds',
      'deletionTimestamp',
      'generation',
      'managedFields',
      'resourceVersion',
      'selfLink',
      'uid',
    ],
  ],
]);

/** Types that the document describes in words only, with the pattern that it gives there. */
const IN_WORDS = new Map<string, JsonObject>([
  [
    'io.k8s.apimachinery.pkg.api.resource.Quantity',
    {
      type: ['string', 'number'],
      pattern: '^[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\\d+)?$',
    },
  ],
  ['io.k8s.apimachinery.pkg.util.intstr.IntOrString', { type: ['string', 'integer'] }],
]);

/** What of a schema says something about a manifest; `type` and the like are copied. */
const KEPT = [
  'type',
  'format',
  'enum',
  'pattern',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'minProperties',
  'maxProperties',
  'required',
];

function main([swaggerPath, ...crdPaths]: readonly string[]): void {
  if (swaggerPath === undefined) throw new TypeError('Cannot begin: give SWAGGER and the CRDs');
  const swagger = new Definitions(
    object(object(JSON.parse(readFileSync(swaggerPath, 'utf8')))['definitions']),
  );
  const kinds = Object.fromEntries([
    ...KINDS.map((kind) => [kind, swagger.schemaOf(kind)] as const),
    ...crdPaths.map((path) => crdSchema(object(parse(readFileSync(path, 'utf8'))))),
  ]);
  const fixture = { sources: SOURCES, kinds, definitions: swagger.reached() };
  writeFileSync(FIXTURE, `${JSON.stringify(fixture, null, 1)}\n`);
}

/** The document's definitions, reduced as they are asked for. */
class Definitions {
  readonly #all: JsonObject;
  readonly #reached = new Map<string, JsonObject>();

  constructor(all: JsonObject) {
    this.#all = all;
  }

  /** The schema of a kind, `apiVersion kind`: an object with exactly these two. */
  schemaOf(kind: string): JsonObject {
    const name = Object.keys(this.#all).find((one) => this.#kindsOf(one).includes(kind));
    if (name === undefined) throw new RangeError(`Cannot find ${kind} in the OpenAPI document`);
    return asKind(kind, this.#reduce(name, object(this.#all[name] ?? null)));
  }

  reached(): JsonObject {
    return Object.fromEntries([...this.#reached].sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  #kindsOf(name: string): string[] {
    const gvks = object(this.#all[name] ?? null)['x-kubernetes-group-version-kind'];
    return list(gvks ?? []).map((gvk) => {
      const { group = '', version = '', kind = '' } = object(gvk);
      return `${group === '' ? '' : `${String(group)}/`}${String(version)} ${String(kind)}`;
    });
  }

  #reduce(name: string, definition: JsonObject): JsonObject {
    const inWords = IN_WORDS.get(name);
    if (inWords !== undefined) return inWords;
    const left = SERVER_FIELDS.get(name) ?? [];
    return reduceSchema(definition, {
      keep: (property) => !left.includes(property),
      limit: (property) => LIMITS.get(`${name}.${property}`) ?? {},
      refer: (reference) => this.#refer(reference),
    });
  }

  #refer(reference: string): void {
    const name = reference.replace('#/definitions/', '');
    if (this.#reached.has(name)) return;
    this.#reached.set(name, {});
    this.#reached.set(name, this.#reduce(name, object(this.#all[name] ?? null)));
  }
}

interface Rules {
  readonly keep: (property: string) => boolean;
  readonly limit: (property: string) => JsonObject;
  readonly refer: (reference: string) => void;
}

/** Without descriptions and extensions, and with a refusal of unknown fields where fields are named. */
function reduceSchema(schema: JsonObject, rules: Rules): JsonObject {
  const { $ref, properties, items, additionalProperties } = schema;
  if (typeof $ref === 'string') {
    rules.refer($ref);
    return { $ref };
  }
  const inner = (one: Json) => reduceSchema(object(one), { ...rules, keep: () => true, limit: () => ({}) });
  const kept = Object.entries(schema).filter(([name]) => KEPT.includes(name));
  const named =
    properties === undefined
      ? {}
      : { properties: reduceProperties(object(properties), rules), additionalProperties: false };
  return {
    ...Object.fromEntries(kept),
    ...(schema['x-kubernetes-int-or-string'] === true ? { type: ['string', 'integer'] } : {}),
    ...named,
    ...(items === undefined ? {} : { items: inner(items) }),
    ...(typeof additionalProperties === 'object'
      ? { additionalProperties: inner(additionalProperties) }
      : {}),
  };
}

function reduceProperties(properties: JsonObject, rules: Rules): JsonObject {
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => rules.keep(name))
      .map(([name, schema]) => {
        const reduced = reduceSchema(object(schema), { ...rules, keep: () => true, limit: () => ({}) });
        const limit = rules.limit(name);
        if (Object.keys(limit).length === 0) return [name, reduced];
        // Beside a $ref no other word counts in every reader.
        return [name, '$ref' in reduced ? { allOf: [reduced, limit] } : { ...reduced, ...limit }];
      }),
  );
}

/** As a whole manifest of that kind; `status` is the server's. */
function asKind(kind: string, schema: JsonObject): JsonObject {
  const [apiVersion = '', name = ''] = kind.split(' ');
  const { status: _status, ...properties } = object(schema['properties'] ?? null);
  const required = new Set([...list(schema['required'] ?? []), 'apiVersion', 'kind', 'metadata']);
  return {
    ...schema,
    required: [...required],
    properties: { ...properties, apiVersion: { const: apiVersion }, kind: { const: name } },
  };
}

/** The newest version that the CRD serves. Its metadata are those of any object. */
function crdSchema(crd: JsonObject): readonly [string, JsonObject] {
  const spec = object(crd['spec'] ?? null);
  const version =
    list(spec['versions'] ?? [])
      .map(object)
      .find(({ served }) => served === true) ?? {};
  const kind = `${String(spec['group'])}/${String(version['name'])} ${String(object(spec['names'] ?? null)['kind'])}`;
  const openApi = object(object(version['schema'] ?? null)['openAPIV3Schema'] ?? null);
  const schema = reduceSchema(openApi, { keep: () => true, limit: () => ({}), refer: () => {} });
  const metadata = { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' };
  return [
    kind,
    asKind(kind, { ...schema, properties: { ...object(schema['properties'] ?? null), metadata } }),
  ];
}

function object(value: unknown): JsonObject {
  if (!isObject(value)) throw new TypeError(`Cannot read the schema: ${JSON.stringify(value)} is no object`);
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

main(process.argv.slice(2));
