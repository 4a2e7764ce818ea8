/** Writes what is generated from the tables in src and scripts/monitoring; test/generated.test.ts compares. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { GENERATED } from './monitoring/files.ts';

for (const [path, render] of Object.entries(GENERATED)) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, render());
}
