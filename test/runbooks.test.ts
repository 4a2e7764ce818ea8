/** The runbooks: there for every finding, and what they name is what this version has. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FLAGS, namesOf } from '../src/flags.ts';
import { FINDING_CODES, severityOf } from '../src/model/findings.ts';
import { FAMILIES } from '../src/output/families.ts';
import { PROGRAM } from '../src/usage.ts';
import { configOf } from './support/invocation.ts';

const FOLDER = join(import.meta.dirname, '..', 'docs', 'runbooks');
const FILES = readdirSync(FOLDER);
const TEXTS = FINDING_CODES.map((code) => ({ code, text: readFileSync(join(FOLDER, `${code}.md`), 'utf8') }));

test('every finding has a runbook, and every runbook its finding', () => {
  expect(FILES.toSorted()).toEqual(FINDING_CODES.map((code) => `${code}.md`).toSorted());
});

describe.each(TEXTS)('$code', ({ code, text }) => {
  const fence = /^ *```\w*\n(.*?)^ *```$/gms;
  const prose = text.replaceAll(fence, '');
  const commands = [...text.matchAll(fence)].flatMap(([, block = '']) => block.split('\n'));
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span);

  test('it has the four sections, in their order, none of them empty', () => {
    expect(prose.match(/^#+ .*$/gm)).toEqual([
      `# ${code}`,
      '## Meaning',
      '## Impact',
      '## Diagnosis',
      '## Mitigation',
    ]);
    for (const section of prose.split(/^## .*$/m)) expect(section.trim().length).toBeGreaterThan(50);
  });

  test("the lines before them end in the finding's severity", () => {
    expect(text.split('\n## ')[0]).toMatch(
      new RegExp(`^# ${code}\n\n.*\\sSeverity: ${severityOf(code)}\\.\n$`, 's'),
    );
  });

  test('every metric that it names exists, and so does every label in its queries', () => {
    for (const [, name = '', selector = ''] of text.matchAll(/(eks_endpoint_\w+)(?:\{([^}]*)\})?/g)) {
      const family = FAMILIES.find((candidate) => candidate.name === name);
      expect(family, name).toBeDefined();
      for (const [, label = ''] of selector.matchAll(/(\w+)=~?"/g))
        expect(Object.keys(family?.labels ?? {})).toContain(label);
    }
    for (const [, found = ''] of text.matchAll(/code="(\w+)"/g)) expect(FINDING_CODES).toContain(found);
  });

  test('every flag of this program that it names exists', () => {
    const known = Object.values(FLAGS).flatMap(namesOf);
    const named = spans.filter((span) => span.startsWith('--')).map((span) => span.split(/[ =]/)[0]);
    for (const name of named) expect(known).toContain(name);
  });

  test('every command line of this program is one that it takes', () => {
    for (const line of [...commands, ...spans]) {
      const [word, ...argv] = line
        .trim()
        .replace(/^sudo /, '')
        .split(' ');
      if (word === PROGRAM) expect(() => configOf(...argv), line).not.toThrow();
    }
  });

  test('its links lead to runbooks', () => {
    for (const [, target] of text.matchAll(/\]\(([^)]*)\)/g)) expect(FILES).toContain(target);
  });

  test('it does not say that public traffic goes over the internet: it does not leave the network of AWS', () => {
    expect(text).not.toMatch(/(?:over|across|through) the (?:public )?internet/i);
  });
});
