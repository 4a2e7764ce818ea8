/**
 * Hours of the past for a Prometheus that has just been started: every series of one node, and what the recording
 * rules would have recorded of a small fleet. (How many nodes they stand for changes their values alone.)
 */
import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { RECORDING_RULES } from '../../scripts/monitoring/rules.ts';
import type { Programs } from '../../test/prometheus/lib/programs.ts';
import { Prometheus } from '../../test/prometheus/lib/server.ts';
import { Fleet } from './fleet.ts';
import { writeHistory } from './history.ts';
import type { FleetOptions } from './story.ts';

/** Of the fleet whose rules are evaluated. */
const NODES = 20;
const NODES_STEP_MS = 60_000;
/** Of one series, as the API gives them at once; it has a limit of 11,000. */
const POINTS = 5_000;

interface PastOptions {
  readonly programs: Programs;
  /** An empty folder, for the data and for what it is made of. */
  readonly folder: string;
  readonly story: Omit<FleetOptions, 'nodes'>;
  readonly startMs: number;
  readonly endMs: number;
  /** From scrape to scrape, and of the rules. */
  readonly stepMs: number;
}

/** Makes the blocks; returns their folder. */
export async function makePast({ programs, folder, story, ...span }: PastOptions): Promise<string> {
  const small = join(folder, 'small');
  const data = join(folder, 'data');
  const fleet = () => new Fleet({ ...story, nodes: NODES });
  await backfill(programs, small, writeHistory(fleet(), { ...span, stepMs: NODES_STEP_MS }));
  // Each rule may build on what those before it have recorded.
  let recorded = '';
  for (const { record, expr } of RECORDING_RULES) {
    await using prometheus = await Prometheus.start(programs, { config: {}, data: small });
    const text = await recordedBy(prometheus, { record, expr, ...span });
    recorded += text;
    await backfill(programs, small, [text, END]);
  }
  await backfill(programs, data, withRecorded(writeHistory(fleet(), { ...span, indexes: [0] }), recorded));
  await rm(small, { recursive: true });
  return data;
}

const END = '# EOF\n';

/** What a rule would have recorded, as OpenMetrics. */
async function recordedBy(
  prometheus: Prometheus,
  {
    record,
    expr,
    startMs,
    endMs,
    stepMs,
  }: { readonly record: string; readonly expr: string } & Omit<PastOptions, 'programs' | 'folder' | 'story'>,
): Promise<string> {
  const lines: string[] = [];
  for (let fromMs = startMs; fromMs <= endMs; fromMs += POINTS * stepMs) {
    const range = {
      start: fromMs / 1000,
      end: Math.min(endMs, fromMs + (POINTS - 1) * stepMs) / 1000,
      step: stepMs / 1000,
    };
    for (const { labels, values } of await prometheus.queryRange(expr, range)) {
      const own = Object.entries(labels).filter(([name]) => name !== '__name__');
      const text = own.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',');
      lines.push(...values.map(([seconds, value]) => `${record}{${text}} ${value} ${seconds}\n`));
    }
  }
  return lines.join('');
}

async function* withRecorded(history: AsyncIterable<string>, recorded: string): AsyncGenerator<string> {
  yield recorded;
  yield* history;
}

/** Adds what the text says to a folder of blocks. */
export async function backfill(
  { promtool }: Programs,
  folder: string,
  text: Iterable<string> | AsyncIterable<string>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = `${folder}.om`;
  await pipeline(Readable.from(text), createWriteStream(file));
  await promisify(execFile)(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', file, folder]);
  await rm(file);
}
