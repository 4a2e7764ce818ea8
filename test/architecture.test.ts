/** The rules of the layout, each with its reason: a rule that is broken fails with it. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const SOURCES = filesBelow('src').map((file) => ({ file, imports: importsOf(file), text: read(file) }));

/** Which folders of src a folder may import from, beside itself, and which modules of Node and of others. */
const FOLDERS: Readonly<
  Record<string, { folders: readonly string[]; modules: readonly string[]; because: string }>
> = {
  model: {
    folders: [],
    modules: ['ipaddr.js'],
    because: 'the model is pure: no I/O, no clock, no metrics library',
  },
  procfs: {
    folders: ['model'],
    modules: ['node:fs', 'node:timers/promises'],
    because: "the kernel's edge knows /proc and the model's types, nothing else",
  },
  net: {
    folders: ['model'],
    modules: ['node:http', 'node:https', 'node:tls'],
    because: 'a request over HTTP, for whoever has somebody to ask',
  },
  endpoint: {
    folders: ['model', 'net'],
    modules: [
      'node:crypto',
      'node:dns/promises',
      'node:events',
      'node:net',
      'node:path',
      'node:timers/promises',
      'node:tls',
      'yaml',
    ],
    because:
      "the cluster's edge is the only one that opens connections; it reads files through what it is given",
  },
  machine: {
    folders: ['model'],
    modules: ['node:child_process', 'systeminformation'],
    because:
      "the machine's edge says what the machine is, for people; its files are read by what it is given",
  },
  agent: {
    folders: ['model', 'procfs', 'net', 'endpoint', 'machine'],
    modules: [],
    because: 'agent and output do not know each other',
  },
  fleet: {
    folders: ['model', 'net'],
    modules: ['@kubernetes/client-node', 'node:http', 'node:https', 'node:path', 'node:tls', 'valibot'],
    because:
      "the fleet's edge asks for what is known of nodes; it judges nothing, and knows no agent from within",
  },
  output: {
    folders: ['model'],
    modules: ['node:crypto', 'node:http', 'node:util', 'node:zlib', 'prom-client'],
    because: 'every output is a function of a node status and reads nothing else',
  },
  demo: {
    folders: ['model'],
    modules: ['node:fs', 'node:path'],
    because: 'the simulated node writes files; who looks at it is none of its business',
  },
  commands: {
    folders: ['model', 'procfs', 'endpoint', 'agent', 'fleet', 'output', 'demo'],
    modules: ['node:fs', 'node:os', 'node:path', 'node:timers/promises'],
    because: 'commands put the parts together; only main imports them',
  },
};

/** Imports against the arrows, each with its reason. */
const EXCEPTIONS = new Map([
  ['src/demo/story.ts -> src/endpoint/dns.ts', 'a type only: the form in which the demo answers DNS'],
  ['src/output/server.ts -> src/log.ts', 'a type only: the log is given'],
]);

/** The one file that knows of programs: it sees to it that none is started. */
const REFUSER = 'src/machine/system-information.ts';

/** It has credentials of the client, which starts a kubeconfig's plugins: `verify` alone, never the agent, and not in the image. */
const KUBECONFIG_READER = 'src/fleet/kubernetes/kubeconfig.ts';

/** The files at the top of src that any command may use. */
const SHARED = ['src/config.ts', 'src/log.ts', 'src/runtime.ts', 'src/verify-config.ts'];

test('sources were found', () => {
  expect(SOURCES.length).toBeGreaterThan(30);
  expect(SOURCES.flatMap(({ imports }) => imports).length).toBeGreaterThan(100);
});

describe.each(Object.entries(FOLDERS))('src/%s', (folder, { folders, modules, because }) => {
  const files = SOURCES.filter(({ file }) => file.startsWith(`src/${folder}/`));

  test(`imports only ${[folder, ...folders, ...modules].join(', ')}: ${because}`, () => {
    expect(files.length).toBeGreaterThan(0);
    const broken = files.flatMap(({ file, imports }) =>
      imports
        .filter((imported) => {
          if (!imported.startsWith('src/')) return !modules.includes(imported);
          if (folder === 'commands' && SHARED.includes(imported)) return false;
          const other = imported.split('/')[1] ?? '';
          return other !== folder && !folders.includes(other) && !EXCEPTIONS.has(`${file} -> ${imported}`);
        })
        .map((imported) => `${file} imports ${imported}`),
    );
    expect(broken, because).toEqual([]);
  });
});

test('every folder of src has its rule', () => {
  const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  expect(folders.map(({ name }) => name).sort()).toEqual(Object.keys(FOLDERS).sort());
});

test('every exception is still needed', () => {
  const all = SOURCES.flatMap(({ file, imports }) => imports.map((imported) => `${file} -> ${imported}`));
  for (const exception of EXCEPTIONS.keys()) expect(all).toContain(exception);
});

test('only procfs/proc.ts opens files of the kernel: a root given by a test reaches everything', () => {
  const openers = SOURCES.filter(({ imports }) => imports.includes('node:fs')).map(({ file }) => file);
  expect(openers.sort()).toEqual([
    'src/commands/demo.ts',
    'src/demo/proc-tree.ts',
    'src/main.ts',
    'src/procfs/proc.ts',
  ]);
});

test('only main.ts touches the process, and only it imports a command, when it is asked for', () => {
  for (const { file, text, imports } of SOURCES.filter((source) => source.file !== 'src/main.ts')) {
    expect(/\bprocess\.(?:argv|env|exit|on|stdout|stderr|cpuUsage|memoryUsage)\b/.test(text), file).toBe(
      false,
    );
    if (!file.startsWith('src/commands/')) {
      expect(
        imports.filter((imported) => imported.startsWith('src/commands/')),
        file,
      ).toEqual([]);
    }
  }
  expect(read('src/main.ts')).not.toMatch(/^import .*commands\//m);
});

test('one file imports systeminformation, when it is asked: the functions that it has start shells, some had injections', () => {
  const importers = SOURCES.filter(({ imports }) => imports.includes('systeminformation'));
  expect(importers.map(({ file }) => file)).toEqual([REFUSER]);
  // Not before `child_process` was taken from it, and of it these two alone.
  const text = read(REFUSER);
  expect(text).not.toMatch(/^import .*'systeminformation'/m);
  expect(text.match(/import\('systeminformation'\)/g)).toHaveLength(1);
  expect(text).toContain('const { system, osInfo } = await loadWithoutPrograms();');
});

test('one file imports the Kubernetes client, when there is a kubeconfig to read: it is large, and starts plugins', () => {
  const importers = SOURCES.filter(({ imports }) => imports.some((one) => one.startsWith('@kubernetes/')));
  expect(importers.map(({ file }) => file)).toEqual([KUBECONFIG_READER]);
  const text = read(KUBECONFIG_READER);
  expect(text.match(/^import (?!type ).*'@kubernetes/gm)).toBeNull();
  expect(text.match(/import\('@kubernetes\/client-node'\)/g)).toHaveLength(1);
  // Whoever imports it does so when it runs.
  const users = SOURCES.filter(({ imports }) => imports.includes(KUBECONFIG_READER));
  expect(users.map(({ file }) => file)).toEqual(['src/fleet/kubernetes/open.ts']);
  expect(read('src/fleet/kubernetes/open.ts')).toContain("(await import('./kubeconfig.ts'))");
});

test('nothing imports a module that starts programs or leads around /proc', () => {
  const forbidden = [
    'node:child_process',
    'child_process',
    'node:cluster',
    'node:worker_threads',
    'node:process',
  ];
  const broken = SOURCES.flatMap(({ file, imports }) =>
    imports
      .filter((imported) => forbidden.includes(imported))
      .map((imported) => `${file} imports ${imported}`),
  );
  // It takes the module from a library that would use it, and uses nothing of it.
  expect(broken).toEqual([`${REFUSER} imports node:child_process`]);
  expect(read(REFUSER)).not.toMatch(/childProcess\.|import .*[{*].*'node:child_process'/);
});

test('the model asks for no time and no chance: what it says follows from its arguments', () => {
  for (const { file, text } of SOURCES.filter((source) => source.file.startsWith('src/model/'))) {
    expect(text, file).not.toMatch(
      /Date\.now|new Date\(\)|performance\.|Math\.random|setTimeout|setInterval/,
    );
  }
});

test('imports do not go in circles', () => {
  const graph = new Map(
    SOURCES.map(({ file, imports }) => [file, imports.filter((one) => one.startsWith('src/'))]),
  );
  const done = new Set<string>();
  function visit(file: string, path: readonly string[]): void {
    if (path.includes(file)) throw new Error(`a circle of imports: ${[...path, file].join(' -> ')}`);
    if (done.has(file)) return;
    for (const imported of graph.get(file) ?? []) visit(imported, [...path, file]);
    done.add(file);
  }
  for (const file of graph.keys()) visit(file, []);
  expect(done.size).toBe(SOURCES.length);
});

test('test/ mirrors src/', () => {
  const tests = new Set(
    filesBelow('test').map((file) => file.replace(/^test/, 'src').replace('.test.ts', '.ts')),
  );
  const untested = SOURCES.map(({ file }) => file).filter((file) => !tests.has(file) && !UNTESTED.has(file));
  expect(untested).toEqual([]);
});

/** Files without a test of their own, each with the reason. */
const UNTESTED = new Map([
  ['src/fleet/kubernetes/no-undici.ts', 'in the bundle alone, which test/main.test.ts runs'],
  ['src/fleet/source.ts', 'types'],
  ['src/model/fleet/observation.ts', 'types'],
  ['src/model/fleet/status.ts', 'types'],
  ['src/model/observation.ts', 'types'],
  ['src/model/settings.ts', 'types'],
  ['src/model/status.ts', 'types'],
]);

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** What a file imports, with and without `type`, at once or when it runs: paths from the root, or module names. */
function importsOf(file: string): string[] {
  const specifiers = read(file).matchAll(
    /(?:^(?:import|export)\b[^;]*?\bfrom\s*|^import\s*|\bimport\(\s*)'([^']+)'/gms,
  );
  return [...specifiers].map(([, specifier = '']) =>
    specifier.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file), specifier)) : specifier,
  );
}
